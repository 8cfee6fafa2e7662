"""The endpoints that show and change something. They refuse a request by raising; ``errors`` makes the answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

from django.db import router, transaction
from django.db.models import Count
from django.http import Http404
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response

from openedx_ai_extensions.api.v1 import serializers
from openedx_ai_extensions.api.v1.requests import WidgetView
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.redaction import configured_secrets
from openedx_ai_extensions.edxapp import access, get_platform
from openedx_ai_extensions.exceptions import InvalidRequest, LLMConfigError, NotAllowed, Outdated, WorkflowNotFound
from openedx_ai_extensions.feedback.learners import (
    asks_for_feedback,
    give,
    mark_note_read,
    tracks_feedback,
    unread_notes,
)
from openedx_ai_extensions.ledger import Run
from openedx_ai_extensions.ledger.limits import Amounts, Limit, LimitKind
from openedx_ai_extensions.ledger.prices import money
from openedx_ai_extensions.models import AILimit, AIWorkflowScope, PromptTemplate
from openedx_ai_extensions.policy import Guard, RefusalReason
from openedx_ai_extensions.policy.audit_log import record
from openedx_ai_extensions.policy.consent import Terms, accept, has_accepted, terms_for, withdraw
from openedx_ai_extensions.policy.prompt_editors import (
    profiles_using,
    require_editor,
    require_no_mask,
    staffs_a_course_using,
    version_of,
)
from openedx_ai_extensions.processors import LLMProcessor, OpenEdXProcessor
from openedx_ai_extensions.processors.llm.provider.providers import find_provider
from openedx_ai_extensions.runtime.runner import require_can_view
from openedx_ai_extensions.workflows import unmatched_slots
from openedx_ai_extensions.workflows.orchestrators import is_available_to
from openedx_ai_extensions.xapi.events import emit_feedback

# Shared by all requests: to create a serializer takes longer than to use it.
_PROFILE, _NO_CONFIG = serializers.ProfileSerializer(), serializers.NoConfigSerializer()


class ResourceView(WidgetView):
    """Base of these endpoints. The docstrings of their methods are the summaries and texts of the OpenAPI description.

    Attributes:
        request_serializer: the serializer of the body, if there is one.
        query_serializer: the serializer of the query parameters besides ``context``, if there are any.
        answer_serializer: the serializer of the answer.
    """

    request_serializer: type[serializers.Serializer]
    query_serializer: type[serializers.Serializer]
    answer_serializer: type[serializers.Serializer]

    def answer(self, instance: Any, **context: Any) -> Response:
        return Response(self.answer_serializer(instance, context={"request": self.request, **context}).data)

    def scope(self) -> AIWorkflowScope | None:
        """The scope of this slot."""
        context = self.context
        return AIWorkflowScope.get_profile(context.course_id, context.usage_key, context.ui_slot_selector_id)

    def may_see(self) -> bool:
        return access.may_see(self.request.user, self.context.course_key, self.context.usage_key)

    def require_can_view(self) -> None:
        """As ``runtime.runner.require_can_view``."""
        require_can_view(self.request.user, self.context.course_key, self.context.usage_key)

    def is_staff(self) -> bool:
        """Is this person site staff, or staff of the context's course?"""
        user, course = self.request.user, self.context.course_key
        return access.is_site_staff(user) or (
            user.is_active and course is not None and get_platform().is_course_staff(user, course)
        )

    def require_staff(self) -> None:
        if not self.is_staff():
            raise NotAllowed


class ProfileView(ResourceView):
    """Which UI a widget slot gets."""

    def get(self, request: Request) -> Response:
        """What a widget in this slot shows"""
        context, scope = self.context, self.scope()
        if scope is None or not scope.profile.is_usable:
            unmatched_slots.record(
                context.ui_slot_selector_id, conf.service_variant(), context.course_id, request.user.pk, self.may_see
            )
            return _no_config()
        if not (self.may_see() and is_available_to(scope.profile, request.user, context.course_key)):
            return _no_config()
        guard = Guard(
            user=request.user, course_id=context.course_key, location_id=context.usage_key, profile=scope.profile
        )
        refusal = guard.refusal()
        if refusal is not None and refusal.extra["reason"] != RefusalReason.QUIET_HOURS:
            return _no_config()
        shown: dict[str, Any] = {
            "course_id": context.course_id,
            "ui_components": scope.profile.shown_ui_components,
        }
        if refusal is not None:
            shown["unavailable"] = {"message": str(refusal), **refusal.extra}
        terms = terms_for(scope.profile)
        if terms is not None and has_accepted(request.user, terms):
            shown["has_consented"] = True
        if asks_for_feedback(scope.profile):
            notes = unread_notes(request.user, scope.profile, context.course_key)
            shown |= {"feedback_notes": [feedback.as_dict() for feedback in notes]} if notes else {}
        return Response(_PROFILE.to_representation(shown))


def _no_config() -> Response:
    return Response(_NO_CONFIG.to_representation({"status": "no_config"}))


class ConsentView(ResourceView):
    """The notice at a place, and this person's consent. Works while AI is paused, too."""

    request_serializer = serializers.ConsentRequestSerializer
    answer_serializer = serializers.ConsentSerializer

    def get(self, _request: Request) -> Response:
        """What to accept before a model is asked here

        It works while AI is switched off or paused, too.
        """
        return self._state(self._terms())

    def post(self, request: Request) -> Response:
        """Accept the notice that was shown, or withdraw every acceptance of it

        If it has changed meanwhile, the error contains the current notice.
        """
        terms = self._terms()
        body = self.request_serializer().run_validation(request.data)
        if terms is not None:
            if not body["accepted"]:
                withdraw(request.user, terms)
            elif body.get("fingerprint") != terms.fingerprint:
                raise InvalidRequest(
                    _("The notice has changed. Please read it again."), extra={"notice": terms.as_dict()}
                )
            else:
                accept(request.user, terms)
        return self._state(terms)

    def _terms(self) -> Terms | None:
        self.require_can_view()
        scope = self.scope()
        if scope is None or not scope.profile.is_usable:
            raise WorkflowNotFound
        return terms_for(scope.profile)

    def _state(self, terms: Terms | None) -> Response:
        accepted = terms is not None and has_accepted(self.request.user, terms)
        return self.answer({"required": terms is not None, "accepted": accepted, "notice": terms and terms.as_dict()})


class FeedbackView(ResourceView):
    """What a person says about an answer."""

    request_serializer = serializers.FeedbackRequestSerializer
    answer_serializer = serializers.FeedbackSerializer

    def post(self, request: Request) -> Response:
        """Rate or report an answer

        It replaces what this person said about this answer before; without a rating, a reason, a text and a report, it
        deletes that. With `note_read`, only the staff's note is marked as read.
        """
        said: dict[str, Any] = self.request_serializer().run_validation(request.data)
        if said.pop("note_read"):
            return self.answer(mark_note_read(request.user, said["run_id"]).as_dict())
        feedback, changes = give(request.user, **said)
        if feedback.profile is not None and tracks_feedback(feedback.profile):
            emit_feedback(request.user, feedback, changes)
        return self.answer(feedback.as_dict())


class LimitsView(ResourceView):
    """What remains of the limits that apply to a person at a place."""

    answer_serializer = serializers.LimitsSerializer

    def get(self, request: Request) -> Response:
        """What remains of the limits that apply to this person here

        Reading it reserves and counts nothing.
        """
        self.require_can_view()
        context, scope = self.context, self.scope()
        run = Run(
            user=request.user,
            course_id=context.course_key,
            location_id=context.usage_key,
            profile_id=scope.profile_id if scope else None,
            profile_slug=scope.profile.slug if scope else "",
        )
        status = sorted(run.limit_status(_provider(scope)), key=lambda pair: (pair[0].breadth, pair[0].resets_at))
        shows_all = access.is_site_staff(request.user)
        return self.answer({"limits": [row for pair in status for row in _limits(*pair, shows_all=shows_all)]})


def _provider(scope: AIWorkflowScope | None) -> str | None:
    """The name of the provider that is asked first; None if there is none."""
    if scope is None or not scope.profile.is_usable:
        return None
    try:
        return find_provider(LLMProcessor(scope.profile.processor_config).provider).name
    except LLMConfigError:
        return None


def _limits(limit: Limit, used: Amounts, *, shows_all: bool) -> Iterator[dict[str, Any]]:
    for kind, allowed in limit.allowed.items():
        amounts = {"limit": allowed, "used": used.of(kind), "left": max(allowed - used.of(kind), 0)}
        # Learners may not see what others use, nor what it costs; that a limit is exhausted they may.
        is_shown = shows_all or (limit.per == AILimit.Per.PERSON and kind != LimitKind.MONEY)
        in_unit = money if kind == LimitKind.MONEY else int
        yield {
            "scope": limit.per,
            "period": limit.period,
            "kind": kind,
            **{name: in_unit(amount) if is_shown else None for name, amount in amounts.items()},
            "exhausted": not amounts["left"],
            "resets_at": limit.resets_at.isoformat() if allowed else None,
        }


class ProfileListView(ResourceView):
    """The profiles that are configured for a course."""

    answer_serializer = serializers.ConfiguredProfilesSerializer

    def get(self, _request: Request) -> Response:
        """What is configured here

        For site staff, and for staff of the context's course. Without a slot, all slots are listed.
        """
        self.require_staff()
        context = self.context
        profiles = AIWorkflowScope.list_profiles_for_context(
            course_id=context.course_id,
            location_id=str(context.usage_key) if context.usage_key else None,
            ui_slot_selector_id=context.ui_slot_selector_id,
            service_variant=context.service_variant,
        )
        scopes = AIWorkflowScope.objects.filter(profile__in=profiles).order_by()
        counts = dict(scopes.values_list("profile").annotate(Count("pk")))
        for profile in profiles:
            vars(profile)["scope_count"] = counts[profile.pk]
        return self.answer({"profiles": profiles}, secrets=configured_secrets())


class CourseTextView(ResourceView):
    """What a model reads at a place in a course, and what it does not read."""

    query_serializer = serializers.CourseTextQuerySerializer
    answer_serializer = serializers.CourseTextSerializer

    def get(self, request: Request) -> Response:
        """What a model reads at a place, and what is left out

        As the person who asks sees it. The context needs a course or a location; a course stands for all of its units.
        """
        self.require_staff()
        context = self.context
        if context.course_key is None:
            raise InvalidRequest(_("courseId or locationId is required."))
        self.require_can_view()
        query = {name: value for name, value in request.query_params.items() if value}
        processor = OpenEdXProcessor(
            {OpenEdXProcessor.__name__: self.query_serializer().run_validation(query)},
            # The course block stands for all its units.
            location_id=context.usage_key or context.course_key.make_usage_key("course", "course"),
            user=request.user,
        )
        return self.answer(processor.explain_location_content())


class PromptView(ResourceView):
    """A prompt, to read or to change."""

    request_serializer = serializers.PromptRequestSerializer
    answer_serializer = serializers.PromptSerializer

    def get(self, request: Request, identifier: str) -> Response:
        """A prompt template"""
        prompt = PromptTemplate.objects.lookup(identifier)
        # Without permission, the answer is the same whether the prompt exists or not.
        if not (self.is_staff() or (prompt is not None and staffs_a_course_using(request.user, prompt))):
            raise NotAllowed
        return self._shown(prompt or _not_found())

    def patch(self, request: Request, identifier: str) -> Response:
        """Change a prompt template

        Site staff may always; course staff only where every enabled scope that uses the prompt belongs to a course of
        theirs, so that one course cannot change another's tutor.
        """
        prompt = PromptTemplate.objects.lookup(identifier)
        if prompt is not None:
            require_editor(request.user, prompt)
        else:
            self.require_staff()
        fields = self.request_serializer().run_validation(request.data)
        with transaction.atomic(using=router.db_for_write(PromptTemplate)):
            # Locked first: the second of two concurrent changes must see the first.
            prompt = PromptTemplate.objects.select_for_update().get(pk=(prompt or _not_found()).pk)
            etags = parse_etags(request.headers.get("If-Match", "*"))
            is_current = etags == ["*"] or _etag(prompt) in etags
            if not is_current or fields.get("updated_at") not in (None, prompt.updated_at):
                raise Outdated
            require_no_mask(prompt, fields["body"])
            if fields["body"] != prompt.body:
                prompt.body = fields["body"]
                prompt.save()
                record(request.user, prompt, _("Changed through the API."))
        return self._shown(prompt)

    def _shown(self, prompt: PromptTemplate) -> Response:
        vars(prompt)["profile_count"] = len(profiles_using(prompt))
        response = self.answer(prompt)
        response["ETag"] = _etag(prompt)
        return response


def _not_found() -> NoReturn:
    raise Http404


def _etag(prompt: PromptTemplate) -> str:
    return f'"{version_of(prompt.body)}"'
