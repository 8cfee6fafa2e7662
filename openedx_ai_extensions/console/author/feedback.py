"""What learners say about the answers of AI in a course: numbers, a queue, and a page to reply."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.console.author.page import CoursePage, Unit, name_of, units_of
from openedx_ai_extensions.feedback import review
from openedx_ai_extensions.feedback.models import MAX_TEXT_CHARS
from openedx_ai_extensions.models import AnswerFeedback
from openedx_ai_extensions.policy.audit_log import record

PER_PAGE = 25


class ReplyForm(forms.Form):
    state = forms.ChoiceField(label=gettext_lazy("State"), choices=AnswerFeedback.State.choices)
    note = forms.CharField(
        label=gettext_lazy("Note to the learner"),
        required=False,
        max_length=MAX_TEXT_CHARS,
        widget=forms.Textarea({"rows": 5, "aria-describedby": "about-note"}),
    )


class FeedbackPages(CoursePage):
    """What both pages share: the feedback of this course, and names for workflows and units."""

    menu_entry = "feedback"

    @property
    def rows(self) -> Any:
        return AnswerFeedback.objects.filter(course_id=self.course_key)

    @cached_property
    def _names(self) -> dict[str, str]:
        return {profile.slug: name_of(profile) for profile in self.profiles()}

    @cached_property
    def _units(self) -> dict[str, Unit]:
        return {str(unit.key): unit for unit in units_of(self.user, self.course_key)}

    def workflow_name(self, slug: str, version: int | None) -> str:
        name = self._names.get(slug, slug) or _("(none)")
        return _("{profile}, version {number}").format(profile=name, number=version) if version else name

    def place_name(self, location: Any) -> str:
        unit = self._units.get(str(location))
        return unit.name if unit else str(location or "") or _("The course")

    def shown(self, feedback: AnswerFeedback) -> dict[str, Any]:
        """Feedback as the templates show it. Not who gave it."""
        unit = self._units.get(str(feedback.location_id))
        return {
            "feedback": feedback,
            "workflow": self.workflow_name(feedback.profile_slug, feedback.profile_version),
            "place": self.place_name(feedback.location_id),
            "link": unit.link if unit else "",
            "url": self.url("reply", pk=feedback.pk),
        }


class FeedbackPage(FeedbackPages):
    """The numbers, and the queue: by default, what is open."""

    title = gettext_lazy("Feedback on AI answers")
    template_name = "feedback.html"

    def get(self, request: HttpRequest) -> HttpResponse:
        asked = request.GET.get("state", "")
        state = asked if asked in AnswerFeedback.State.values else AnswerFeedback.State.OPEN
        queue = self.rows.filter(state=state).order_by("-reported", "-changed_at", "-pk")
        page = Paginator(queue, PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "state": state,
            "choices": [
                {"state": value, "name": label, "is_here": value == state}
                for value, label in AnswerFeedback.State.choices
            ],
            "page": page,
            "entries": [self.shown(feedback) for feedback in page],
            "tables": self._tables(),
        }
        return self.render(context)

    def _tables(self) -> list[dict[str, Any]]:
        by_version = review.counts(self.rows, review.BY_VERSION)
        by_model = review.counts(self.rows, review.BY_MODEL)
        by_place = review.counts(self.rows, review.BY_PLACE)
        for group in by_version:
            group["name"] = self.workflow_name(group["profile_slug"], group["profile_version"])
        for group in by_model:
            group["name"] = group["model"] or _("(none)")
        for group in by_place:
            group["name"] = self.place_name(group["location_id"])
        tables = (
            ("by-version", _("By workflow and version"), _("Workflow"), by_version),
            ("by-model", _("By model"), _("Model"), by_model),
            ("by-place", _("By unit"), _("Unit"), by_place),
        )
        return [
            {"id": name, "caption": caption, "first": first, "rows": rows}
            for name, caption, first, rows in tables
            if rows
        ]


class ReplyPage(FeedbackPages):
    """One learner's feedback, with a form to reply."""

    title = gettext_lazy("Feedback on an AI answer")
    template_name = "reply.html"

    def get(self, _request: HttpRequest, pk: int) -> HttpResponse:
        feedback = get_object_or_404(self.rows, pk=pk)
        return self._page(feedback, ReplyForm(initial={"state": feedback.state, "note": feedback.note}))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        feedback = get_object_or_404(self.rows, pk=pk)
        form = ReplyForm(request.POST)
        if not form.is_valid():
            return self._page(feedback, form, status=400)
        if review.reply(feedback, self.user, **form.cleaned_data):
            record(self.user, feedback, _("Changed by course staff."))
            messages.success(request, _("Saved."))
        return HttpResponseRedirect(self.url("feedback"))

    def _page(self, feedback: AnswerFeedback, form: ReplyForm, status: int = 200) -> HttpResponse:
        may_read = review.may_read_turn(self.user)
        turn = review.read_turn(feedback, self.user) if may_read else []
        return self.render({**self.shown(feedback), "form": form, "may_read_turn": may_read, "turn": turn}, status)
