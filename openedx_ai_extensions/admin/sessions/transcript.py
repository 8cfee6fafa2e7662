"""A session's transcript: which of its threads is asked for, and getting it whatever state the session is in."""

from __future__ import annotations

import enum
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.display import status_text
from openedx_ai_extensions.admin.sessions.messages import Message, readable
from openedx_ai_extensions.exceptions import AIExtensionsError
from openedx_ai_extensions.models import AIWorkflowSession
from openedx_ai_extensions.workflows.orchestrators.threads import remote_entries

logger = logging.getLogger(__name__)


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
