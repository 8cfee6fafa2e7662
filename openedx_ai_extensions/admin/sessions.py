"""Sessions: which user has a conversation with which workflow, and transcripts for people with the permission."""

from __future__ import annotations

import enum
import json
import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.admin.base import ReadOnlyAdmin, first_words, pretty_json, status_text, users_starting_with
from openedx_ai_extensions.core.redaction import configured_secrets, redact
from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.models import AIWorkflowSession
from openedx_ai_extensions.prompts.citations import Citation
from openedx_ai_extensions.workflows.orchestrators.threads import remote_entries

logger = logging.getLogger(__name__)

VIEW_TRANSCRIPT = "openedx_ai_extensions.view_transcript"
RECENT_SESSIONS = 1000  # the filter lists only their courses, because a site may have ten thousand
MAX_COURSES = 30
SPEAKERS: Mapping[str, str | Promise] = {
    "user": gettext_lazy("Learner"),
    "assistant": gettext_lazy("AI"),
    "tool": gettext_lazy("Tool"),
    "system": gettext_lazy("Instructions"),
    "developer": gettext_lazy("Instructions"),
}
STATUSES: Mapping[str, str | Promise] = {
    "interrupted": gettext_lazy("Interrupted: the answer is not complete"),
    "cut_off": gettext_lazy("Cut off: the model or its provider stopped before the end of the answer"),
    "failed": gettext_lazy("Failed: there is no answer"),
}
SOURCES: Mapping[str, str | Promise] = {
    "local": gettext_lazy("Only on this site"),
    "remote": gettext_lazy("Only at the provider"),
    "both": gettext_lazy("On this site and at the provider"),
}


class ThreadSource(enum.StrEnum):
    """Where the messages of a conversation are read."""

    LOCAL = "local"
    REMOTE = "remote"
    COMBINED = "combined"


THREADS: Mapping[ThreadSource, tuple[str | Promise, str | Promise]] = {  # titles and explanations
    ThreadSource.LOCAL: (gettext_lazy("This site"), gettext_lazy("The messages that this site has stored.")),
    ThreadSource.REMOTE: (
        gettext_lazy("Provider"),
        gettext_lazy("The messages that the AI provider has stored, requested just now."),
    ),
    ThreadSource.COMBINED: (
        gettext_lazy("Combined"),
        gettext_lazy("The messages of this site and of the provider, each shown once."),
    ),
}


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of a transcript.

    Attributes:
        kind: ``user``, ``assistant``, ``tool``, ``system`` or ``error``, for the style.
        badges: states, in words.
        calls: the tools that the model calls, each with ``name`` and ``arguments``.
        citations: the places in the course that an answer cites, each with ``number``, ``title`` and ``url``.
        summary: if not empty, the text is collapsed behind it.
        reference: the id of the submission or of the provider's response that contains the message.
    """

    kind: str
    speaker: str
    text: str
    time: datetime | None = None
    badges: Sequence[str] = ()
    source: str = ""
    calls: Sequence[Mapping[str, str]] = ()
    citations: Collection[Citation] = ()
    summary: str = ""
    reference: str = ""


def read_transcript(session: AIWorkflowSession, source: ThreadSource) -> dict[str, Any]:
    """The ``messages`` of a session, or the ``problem`` why there are none, and an ``explanation`` of the source.

    The provider is called only if its messages are wanted.
    """
    _title, explanation = THREADS[source]
    if source is not ThreadSource.LOCAL and session.remote_response_id and not session.profile.is_usable:
        # Its configuration says which provider has the messages; no other provider may learn about them.
        reason = _("The provider is unknown, because the profile of this session cannot be used. {problem}")
        return {"explanation": explanation, "problem": reason.format(problem=status_text(session.profile))}
    try:
        # A savepoint, so that a failed query does not break the rest of the page.
        with transaction.atomic():
            return {"explanation": explanation, "messages": readable(_entries(session, source))}
    except (AIExtensionsError, DatabaseError) as error:
        logger.error(
            "session.transcript.failed session=%s thread=%s error=%s", session.pk, source.value, type(error).__name__
        )
        problem = _("This thread cannot be read. The server's log has the details.")
        return {"explanation": explanation, "problem": problem}


def _entries(session: AIWorkflowSession, source: ThreadSource) -> Sequence[Mapping[str, Any]]:
    if source is ThreadSource.LOCAL:
        return session.get_local_thread() or ()
    if source is ThreadSource.REMOTE:
        return list(remote_entries(session.get_remote_thread() or ()))
    return session.get_combined_thread() or ()


def readable(entries: Iterable[Mapping[str, Any]]) -> list[Message]:
    """The entries of a local, remote or combined thread as messages."""
    entries = list(entries)
    secrets = configured_secrets()
    # A tool's result contains only the id of its call.
    names = {
        call.get("id"): str((call.get("function") or {}).get("name") or "")
        for entry in entries
        for call in entry.get("tool_calls") or ()
    }
    return [_message(entry, names, secrets) for entry in entries]


def _message(entry: Mapping[str, Any], names: Mapping[Any, str], secrets: Collection[str]) -> Message:
    role, kind = str(entry.get("role") or ""), str(entry.get("type") or "")
    reference = str(entry.get("submission_id") or entry.get("response_id") or "")
    text = _text(entry.get("content"), secrets)
    if kind == "error":
        lost = _("The provider's response {response} is not available, and neither are the ones before it. {reason}")
        return Message("error", _("Missing"), lost.format(response=reference, reason=text))
    status, source = str(entry.get("status") or ""), str(entry.get("source") or "")
    summary = ""
    if role == "tool":
        name = str(entry.get("name") or names.get(entry.get("tool_call_id")) or "")
        summary = _("Result of {tool}").format(tool=name) if name else _("Result")
        text = _pretty(entry.get("content"), secrets)
    elif role in ("system", "developer"):
        summary = _("Instructions for the AI")
    elif kind not in ("", "message"):
        summary = kind.replace("_", " ")  # reasoning, a web search of the provider, and the like
    return Message(
        kind={"developer": "system"}.get(role, role),
        speaker=str(SPEAKERS.get(role, role)),
        text=text,
        time=_time(entry.get("timestamp")),
        badges=[str(STATUSES.get(status, status))] if status else (),
        source=str(SOURCES.get(source, source)),
        calls=[
            {"name": str(function.get("name") or ""), "arguments": _pretty(function.get("arguments"), secrets)}
            for function in _functions(entry)
        ],
        citations={citation["number"]: citation for citation in entry.get("citations") or ()}.values(),
        summary=summary if text else "",
        reference=reference,
    )


def _functions(entry: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [call.get("function") or {} for call in entry.get("tool_calls") or ()]


def _text(content: Any, secrets: Collection[str]) -> str:
    shown = redact(content, secrets)
    return shown if isinstance(shown, str) else pretty_json(shown) if shown else ""


def _pretty(content: Any, secrets: Collection[str]) -> str:
    """Indented JSON, with credentials masked by the names of their keys; other text stays as it is."""
    try:
        value = json.loads(content) if isinstance(content, str) else content
    except ValueError:
        value = content
    return _text(content, secrets) if isinstance(value, str) else pretty_json(redact(value, secrets))


def _time(timestamp: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(timestamp)
    except (TypeError, ValueError):
        return None


class CourseFilter(admin.SimpleListFilter):
    """The courses of the newest rows, and the chosen one."""

    title = gettext_lazy("course of the latest sessions")
    parameter_name = "course_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = model_admin.model.objects.order_by("-pk").values_list("course_id", flat=True)[:RECENT_SESSIONS]
        courses = list(dict.fromkeys(str(course) for course in newest if course))[:MAX_COURSES]
        chosen = self.value()
        if chosen and chosen not in courses:
            courses.append(chosen)
        return [(course, course) for course in sorted(courses)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = self.value()
        if not chosen:
            return queryset
        try:
            return queryset.filter(course_id=CourseKey.from_string(chosen))
        except InvalidKeyError:
            return queryset.none()


@admin.register(AIWorkflowSession)
class SessionAdmin(ReadOnlyAdmin):
    """Each view of a transcript is recorded."""

    cascade_permission = "openedx_ai_extensions.delete_aiworkflowsession"
    list_display = ("id", "user", "profile", "course_id", "location_id", "updated_at")
    list_select_related = ("user", "profile")
    list_filter = (CourseFilter, "profile")
    extra_lookups = ("user__id__exact",)
    list_per_page = 50
    search_fields = ("user__username", "user__email", "course_id")
    search_help_text = gettext_lazy("The beginning of a username, an e-mail address or a course id.")
    show_full_result_count = False
    ordering = ("-updated_at", "-pk")
    actions = None
    # Without the metadata, which contains drafts and the state of a conversation.
    fields = (
        "user",
        "sessions_of_person",
        "profile",
        "scope",
        "course_id",
        "location_id",
        "created_at",
        "updated_at",
    )
    readonly_fields = ("sessions_of_person",)

    class Media:
        css = {"all": ("openedx_ai_extensions/admin/session.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[AIWorkflowSession]:
        return super().get_queryset(request).defer("metadata")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AIWorkflowSession], search_term: str
    ) -> tuple[QuerySet[AIWorkflowSession], bool]:
        """Each word is the beginning of a course id or of a user's name; its characters tell which.

        A condition on one column of one table is one that an index can answer.
        """
        for word in first_words(search_term):
            if ":" in word or "/" in word or ("+" in word and "@" not in word):
                queryset = queryset.filter(course_id__istartswith=word)
            else:
                queryset = queryset.filter(user__in=users_starting_with(word))
        return queryset, False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        if kwargs.get("obj") is not None:
            context |= self._transcript_context(request, kwargs["obj"])
        return super().render_change_form(request, context, *args, **kwargs)

    def _transcript_context(self, request: HttpRequest, session: AIWorkflowSession) -> dict[str, Any]:
        asked = request.GET.get("thread")
        if not request.user.has_perm(VIEW_TRANSCRIPT):
            if asked is not None:
                raise PermissionDenied
            return {"missing_permission": VIEW_TRANSCRIPT}
        source = ThreadSource(asked) if asked in list(ThreadSource) else ThreadSource.LOCAL
        if self._record_view(request, session, source):
            transcript = read_transcript(session, source)
        else:
            transcript = {"problem": _("This view could not be recorded. Therefore nothing is shown.")}
        return {
            "thread": source,
            "titles": {each: title for each, (title, _text) in THREADS.items()},
            "transcript": transcript,
        }

    def _record_view(self, request: HttpRequest, session: AIWorkflowSession, source: ThreadSource) -> bool:
        """Record in the session's history who reads what, before it is read."""
        # Django translates a message of this form for each reader of the history.
        message = [{"added": {"name": gettext_noop("transcript view"), "object": source.value}}]
        names = (session.pk, request.user.pk, source.value)
        try:
            with transaction.atomic():
                self.log_change(request, session, message)
        except DatabaseError as error:
            # Not the error's text: databases repeat values in it.
            error_type = type(error).__name__
            logger.error("session.transcript.unrecorded session=%s viewer=%s thread=%s error=%s", *names, error_type)
            return False
        logger.info("session.transcript.viewed session=%s viewer=%s thread=%s", *names)
        return True

    @admin.display(description=gettext_lazy("Sessions"))
    def sessions_of_person(self, obj: AIWorkflowSession) -> SafeString:
        url = reverse(f"admin:{self.url_name_of('changelist')}")
        return format_html('<a href="{}?user__id__exact={}">{}</a>', url, obj.user_id, _("All sessions of this user"))
