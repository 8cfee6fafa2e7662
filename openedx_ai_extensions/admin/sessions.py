"""Sessions: who talks with which workflow, and, for those who may, what was said."""

from __future__ import annotations

import enum
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.admin.base import BaseAdmin, first_words
from openedx_ai_extensions.admin.display import status_text
from openedx_ai_extensions.admin.transcripts import Message, readable
from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.models import AIWorkflowSession
from openedx_ai_extensions.workflows.orchestrators.threads import remote_entries

logger = logging.getLogger(__name__)
# Enough for the courses that are being asked about; every other course is found by its key.
RECENT_SESSIONS = 1000
MAX_COURSES = 30
VIEW_TRANSCRIPT = "openedx_ai_extensions.view_transcript"


class ThreadSource(enum.StrEnum):
    """Whose memory of a conversation."""

    LOCAL = "local"
    REMOTE = "remote"
    COMBINED = "combined"


TITLES: Mapping[ThreadSource, str | Promise] = {
    ThreadSource.LOCAL: gettext_lazy("Ours"),
    ThreadSource.REMOTE: gettext_lazy("The provider's"),
    ThreadSource.COMBINED: gettext_lazy("Combined"),
}
EXPLANATIONS: Mapping[ThreadSource, str | Promise] = {
    ThreadSource.LOCAL: gettext_lazy("What this site has stored of the conversation."),
    ThreadSource.REMOTE: gettext_lazy("What the AI provider still has of the conversation, asked for just now."),
    ThreadSource.COMBINED: gettext_lazy("Both as one, each message once, with the provider asked just now."),
}


@dataclass(frozen=True, slots=True)
class Tab:
    """A link to one of the threads."""

    thread: ThreadSource
    title: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Transcript:
    """What is to be shown: messages, or the reason why there are none."""

    explanation: str = ""
    messages: Sequence[Message] = ()
    problem: str = ""


def tabs(current: ThreadSource) -> list[Tab]:
    return [Tab(thread, str(TITLES[thread]), thread is current) for thread in ThreadSource]


def read_transcript(session: AIWorkflowSession, thread: ThreadSource) -> Transcript:
    """One of the threads, in words. Only those with the provider's part go over the network."""
    explanation = str(EXPLANATIONS[thread])
    if thread is not ThreadSource.LOCAL and session.remote_response_id and not session.profile.is_usable:
        # Without its configuration it is not known which provider to ask; another one is not to learn about it.
        reason = _(
            "The provider cannot be asked: only the profile of this session could say which one it is. {problem}"
        )
        return Transcript(explanation, problem=reason.format(problem=status_text(session.profile)))
    try:
        # A failed query spoils no more than this.
        with transaction.atomic():
            return Transcript(explanation, readable(_entries(session, thread)))
    except (AIExtensionsError, DatabaseError) as error:
        logger.error(
            "session.transcript.failed session=%s thread=%s error=%s", session.pk, thread.value, type(error).__name__
        )
        return Transcript(explanation, problem=_("This thread cannot be read. The server's log says more."))


def _entries(session: AIWorkflowSession, thread: ThreadSource) -> Sequence[Mapping[str, Any]]:
    if thread is ThreadSource.LOCAL:
        return session.get_local_thread() or ()
    if thread is ThreadSource.REMOTE:
        return list(remote_entries(session.get_remote_thread() or ()))
    return session.get_combined_thread() or ()


class CourseFilter(admin.SimpleListFilter):
    """The courses of the newest sessions, and the chosen one: a site may have ten thousand."""

    title = gettext_lazy("course of the latest sessions")
    parameter_name = "course_id"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        newest = AIWorkflowSession.objects.order_by("-pk").values_list("course_id", flat=True)[:RECENT_SESSIONS]
        courses = list(dict.fromkeys(str(course) for course in newest if course))[:MAX_COURSES]
        chosen = self.value()
        if chosen and chosen not in courses:
            courses.append(chosen)
        return [(course, course) for course in sorted(courses)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AIWorkflowSession]) -> QuerySet[AIWorkflowSession]:
        chosen = self.value()
        if not chosen:
            return queryset
        try:
            return queryset.filter(course_id=CourseKey.from_string(chosen))
        except InvalidKeyError:
            return queryset.none()


def search(queryset: QuerySet[AIWorkflowSession], text: str) -> QuerySet[AIWorkflowSession]:
    """The sessions that all words of a search fit: each is the beginning of a course key, or of a person's name.

    Which of them it is, its signs tell: one condition on one table at a time is what an index can answer.
    """
    for word in first_words(text):
        is_course = ":" in word or "/" in word or ("+" in word and "@" not in word)
        if is_course:
            queryset = queryset.filter(course_id__istartswith=word)
        else:
            people = get_user_model().objects.filter(Q(username__istartswith=word) | Q(email__istartswith=word))
            queryset = queryset.filter(user__in=people)
    return queryset


@admin.register(AIWorkflowSession)
class SessionAdmin(BaseAdmin):
    """Look, but touch nothing. Reading a transcript takes a permission of its own and leaves a trace."""

    list_display = ("id", "user", "profile", "course_id", "location_id", "updated_at")
    list_select_related = ("user", "profile")
    list_filter = (CourseFilter, "profile")
    extra_lookups = ("user__id__exact",)
    list_per_page = 50
    search_fields = ("user__username", "user__email", "course_id")
    search_help_text = gettext_lazy("How a username, an e-mail address or a course key begins.")
    show_full_result_count = False
    ordering = ("-updated_at", "-pk")
    actions = None
    # No metadata anywhere: drafts and the state of a conversation are in it.
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
        return search(queryset, search_term), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AIWorkflowSession | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AIWorkflowSession | None = None) -> bool:
        # A session goes with its person, scope or profile. The admin asks here, too, before it deletes one of those.
        match = request.resolver_match
        own_pages = f"{self.opts.app_label}_{self.opts.model_name}_"
        if match is None or (match.url_name or "").startswith(own_pages):
            return False
        return super().has_delete_permission(request, obj)

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: AIWorkflowSession | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context |= self._transcript_context(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _transcript_context(self, request: HttpRequest, session: AIWorkflowSession) -> dict[str, Any]:
        asked = request.GET.get("thread")
        if not request.user.has_perm(VIEW_TRANSCRIPT):
            if asked is not None:
                raise PermissionDenied
            return {"missing_permission": VIEW_TRANSCRIPT}
        thread = next((thread for thread in ThreadSource if thread == asked), ThreadSource.LOCAL)
        if self._record_view(request, session, thread):
            transcript = read_transcript(session, thread)
        else:
            transcript = Transcript(problem=_("This view could not be recorded. Therefore nothing is shown."))
        return {"thread": thread, "thread_tabs": tabs(thread), "transcript": transcript}

    def _record_view(self, request: HttpRequest, session: AIWorkflowSession, thread: ThreadSource) -> bool:
        """Note who reads what, before it is read."""
        # Django translates such a message for whoever reads the history; a text would stay in the viewer's language.
        message = [{"added": {"name": gettext_noop("transcript view"), "object": thread.value}}]
        try:
            with transaction.atomic():
                self.log_change(request, session, message)
        except DatabaseError as error:
            logger.error(  # the text of a database's error may repeat values
                "session.transcript.unrecorded session=%s viewer=%s thread=%s error=%s",
                session.pk,
                request.user.pk,
                thread.value,
                type(error).__name__,
            )
            return False
        logger.info(
            "session.transcript.viewed session=%s viewer=%s thread=%s", session.pk, request.user.pk, thread.value
        )
        return True

    @admin.display(description=gettext_lazy("Sessions"))
    def sessions_of_person(self, obj: AIWorkflowSession) -> SafeString:
        url = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return format_html('<a href="{}?user__id__exact={}">{}</a>', url, obj.user_id, _("All of this person"))
