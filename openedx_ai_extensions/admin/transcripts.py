"""The messages of a thread as a person reads them: roles and states in words, no credentials."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.admin.display import pretty_json
from openedx_ai_extensions.core.redaction import configured_secrets, redact

SPEAKERS: Mapping[str, str | Promise] = {
    "user": gettext_lazy("Learner"),
    "assistant": gettext_lazy("AI"),
    "tool": gettext_lazy("Tool"),
    "system": gettext_lazy("Instructions"),
    "developer": gettext_lazy("Instructions"),
}
STATUSES: Mapping[str, str | Promise] = {
    "interrupted": gettext_lazy("Interrupted: the answer is not complete"),
    "cut_off": gettext_lazy("Cut off: the model, or its provider, stopped before the end of the answer"),
    "failed": gettext_lazy("Failed: no answer came"),
}
SOURCES: Mapping[str, str | Promise] = {
    "local": gettext_lazy("Only ours"),
    "remote": gettext_lazy("Only the provider's"),
    "both": gettext_lazy("Ours and the provider's"),
}


@dataclass(frozen=True, slots=True)
class ShownToolCall:
    """What the model asked a tool."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of a transcript.

    Attributes:
        kind: ``user``, ``assistant``, ``tool``, ``system`` or ``error``, for the looks.
        badges: states, in words.
        summary: when given, the text is folded away behind it.
        reference: the submission, or the provider's response, that the message is from.
    """

    kind: str
    speaker: str
    text: str
    time: datetime | None = None
    badges: Sequence[str] = ()
    source: str = ""
    calls: Sequence[ShownToolCall] = ()
    summary: str = ""
    reference: str = ""


def readable(entries: Iterable[Mapping[str, Any]]) -> list[Message]:
    """The entries of a local, remote or combined thread, in words."""
    entries = list(entries)
    secrets = configured_secrets()
    # A result only knows the number of its call.
    names = {
        call.get("id"): str(_function(call).get("name") or "")
        for entry in entries
        for call in entry.get("tool_calls") or ()
    }
    return [_message(entry, names, secrets) for entry in entries]


def _message(entry: Mapping[str, Any], names: Mapping[Any, str], secrets: Collection[str]) -> Message:
    role, kind = str(entry.get("role") or ""), str(entry.get("type") or "")
    reference = str(entry.get("submission_id") or entry.get("response_id") or "")
    text = _text(entry.get("content"), secrets)
    if kind == "error":
        lost = _("The provider's response {response} cannot be had, and nothing before it is known. {reason}")
        return Message("error", _("Missing"), lost.format(response=reference, reason=text))
    status, source = str(entry.get("status") or ""), str(entry.get("source") or "")
    summary = ""
    if role == "tool":
        name = str(entry.get("name") or names.get(entry.get("tool_call_id")) or "")
        summary = _("Result of {tool}").format(tool=name) if name else _("Result")
        text = _pretty(entry.get("content"), secrets)
    elif role in ("system", "developer"):
        summary = _("What the AI was told to do")
    elif kind not in ("", "message"):
        # Reasoning, a search of the provider's own, or what else there will be.
        summary = kind.replace("_", " ")
    return Message(
        kind={"developer": "system"}.get(role, role),
        speaker=str(SPEAKERS.get(role, role)),
        text=text,
        time=_time(entry.get("timestamp")),
        badges=[str(STATUSES.get(status, status))] if status else (),
        source=str(SOURCES.get(source, source)),
        calls=[
            ShownToolCall(str(_function(call).get("name") or ""), _pretty(_function(call).get("arguments"), secrets))
            for call in entry.get("tool_calls") or ()
        ],
        summary=summary if text else "",
        reference=reference,
    )


def _function(call: Mapping[str, Any]) -> Mapping[str, Any]:
    return call.get("function") or {}


def _text(content: Any, secrets: Collection[str]) -> str:
    shown = redact(content, secrets)
    return shown if isinstance(shown, str) else pretty_json(shown) if shown else ""


def _pretty(content: Any, secrets: Collection[str]) -> str:
    """JSON one value a line, with what a credential's name holds hidden; any other text as it is."""
    if isinstance(content, str):
        try:
            content = json.loads(content)
        except ValueError:
            return _text(content, secrets)
        if isinstance(content, str):
            return _text(content, secrets)
    return pretty_json(redact(content, secrets))


def _time(timestamp: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(timestamp)
    except (TypeError, ValueError):
        return None
