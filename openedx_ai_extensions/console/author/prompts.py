"""The prompts of a course's workflows, and the page to edit one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from openedx_ai_extensions.console.author.page import CoursePage, name_of
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.access import is_site_staff
from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.models import AIWorkflowProfile, PromptTemplate
from openedx_ai_extensions.policy.audit_log import record
from openedx_ai_extensions.policy.prompt_editors import (
    courses_using,
    may_edit,
    readable_body,
    require_no_mask,
    version_of,
)
from openedx_ai_extensions.prompts.models import body_problem


def prompts_of(profiles: Sequence[AIWorkflowProfile]) -> Mapping[int, list[PromptTemplate]]:
    """The prompts that each profile names, by the profile's id. One query for all profiles."""
    prompts = {}
    with PromptTemplate.objects.preloaded():
        for profile in profiles:
            configs = [config for config in profile.processor_config.values() if isinstance(config, dict)]
            found = [PromptTemplate.objects.lookup(str(config.get("prompt_template") or "")) for config in configs]
            prompts[profile.pk] = list(dict.fromkeys(prompt for prompt in found if prompt is not None))
    return prompts


class PromptForm(forms.Form):
    """The new text, and the version of the text that was edited."""

    body = forms.CharField(
        label=gettext_lazy("Prompt"),
        strip=False,
        widget=forms.Textarea({"rows": 18, "spellcheck": "true", "aria-describedby": "about-body"}),
        error_messages={"required": gettext_lazy("The text must not be blank.")},
    )
    # A missing version counts as outdated.
    version = forms.CharField(widget=forms.HiddenInput, required=False)

    def clean_body(self) -> str:
        # Browsers send CRLF.
        body: str = self.cleaned_data["body"].replace("\r\n", "\n")
        problem = body_problem(body)
        if problem:
            raise ValidationError(problem, code="invalid")
        return body


class PromptPage(CoursePage):
    """One prompt; with a form for people who may edit it.

    Attributes:
        users: the workflows of this course that use it.
    """

    users: list[AIWorkflowProfile]
    menu_entry = "workflows"
    template_name = "prompt.html"

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        prompt = self._prompt(pk)
        return self._page(prompt, self._form(prompt))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        form = PromptForm(request.POST)
        with transaction.atomic():
            # Locked, so that the second of two people who save at once sees the text of the first.
            prompt = PromptTemplate.objects.select_for_update().get(pk=self._prompt(pk).pk)
            if not may_edit(self.user, prompt):
                return self._page(prompt, self._form(prompt), status=403)
            if form.is_valid():
                try:
                    require_no_mask(prompt, form.cleaned_data["body"])
                except InvalidRequest as error:
                    form.add_error("body", str(error.message))
            if not form.is_valid():
                return self._page(prompt, form, status=400)
            body = form.cleaned_data["body"]
            if form.cleaned_data["version"] != version_of(prompt.body) and body != prompt.body:
                present = readable_body(prompt, self.user)
                return self._page(prompt, self._form(prompt, body), status=409, present=present)
            if body != prompt.body:
                prompt.body = body
                prompt.save()
                record(self.user, prompt, _("Changed by course staff."))
        messages.success(request, _("The prompt is saved. It applies from the next answer."))
        return HttpResponseRedirect(self.url("prompt", pk=prompt.pk))

    def _prompt(self, pk: int) -> PromptTemplate:
        """Raises Http404 if no workflow of this course uses this prompt."""
        prompt = get_object_or_404(PromptTemplate, pk=pk)
        self.users = [profile for profile in self.profiles() if prompt.is_used_in(profile.processor_config)]
        if not self.users:
            raise Http404
        return prompt

    def _page(
        self, prompt: PromptTemplate, form: PromptForm, status: int = 200, present: str | None = None
    ) -> HttpResponse:
        self.title = _("Prompt “{name}”").format(name=prompt.slug)
        context = {
            "prompt": prompt,
            "body": readable_body(prompt, self.user),
            "form": form,
            "may_edit": may_edit(self.user, prompt),
            "users": [name_of(profile) for profile in self.users],
            "elsewhere": self._elsewhere(prompt),
            "present": present,
        }
        return self.render(context, status)

    def _elsewhere(self, prompt: PromptTemplate) -> list[str]:
        """Other courses that use the prompt. Courses of which this person is not staff are only counted."""
        courses = courses_using(prompt) - {self.course_key}
        shows_all, platform = is_site_staff(self.user), get_platform()
        known = {course for course in courses if course and (shows_all or platform.is_course_staff(self.user, course))}
        lines = [_("Every course of the site.")] if None in courses else []
        lines += sorted(map(str, known))
        others = len(courses - known - {None})
        if others:
            text = ngettext("{count} course that you do not teach.", "{count} courses that you do not teach.", others)
            lines.append(text.format(count=others))
        return lines

    def _form(self, prompt: PromptTemplate, body: str | None = None) -> Any:
        """A form with this text, or with the present one."""
        text = readable_body(prompt, self.user) if body is None else body
        return PromptForm(initial={"body": text, "version": version_of(prompt.body)})
