"""What a try shows: what was sent, what came back, and what it took. Credentials are masked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from openedx_ai_extensions.admin.display import pretty_json
from openedx_ai_extensions.admin.transcripts import Message, readable
from openedx_ai_extensions.core.redaction import configured_secrets, redact
from openedx_ai_extensions.ledger.quota import amount
from openedx_ai_extensions.policy.consent import has_accepted, terms_for
from openedx_ai_extensions.processors.llm.provider.fences import COURSE
from openedx_ai_extensions.processors.llm.provider.types import estimated_tokens
from openedx_ai_extensions.processors.openedx.safe_html import plain_text
from openedx_ai_extensions.runtime.dry_run import DryRun

_COURSE_TEXT = re.compile(rf"\A(?=.*\n</{COURSE}>\Z)(.*)\n\n<{COURSE}>\n(.*)\n</{COURSE}>\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of what it took: as expected before, and as it was."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Item:
    """One card, or one question, of an answer that is data."""

    title: str
    lines: list[str]


def notes(dry_run: DryRun) -> list[str]:
    """What the person would meet in earnest, and does not here."""
    wanted, said = dry_run.asked, []
    name = wanted.person.get_username()
    if dry_run.refusal is not None:
        refused = _("In earnest this would be refused to {person} now: {reason}")
        said.append(refused.format(person=name, reason=dry_run.refusal))
    terms = terms_for(wanted.profile)
    if terms is not None and not has_accepted(wanted.person, terms):
        said.append(_("In earnest {person} would first be asked to accept the AI notice.").format(person=name))
    return said


def sent(dry_run: DryRun) -> dict[str, Any]:
    """What the model was sent; the last time that it was asked, which repeats the times before."""
    if not dry_run.requests:
        return {"messages": [], "tools": [], "rounds": 0}
    request, secrets = dry_run.requests[-1], configured_secrets()
    tools = [
        {"name": tool["name"], "about": redact(tool.get("description", ""), secrets),
         "parameters": pretty_json(redact(tool.get("parameters", {}), secrets))}
        for tool in request.tools
    ]  # fmt: skip
    return {
        "messages": [part for message in readable(request.messages) for part in _parts(message)],
        "tools": tools,
        "rounds": len(dry_run.requests),
        "options": pretty_json(redact(dict(request.options), secrets)) if request.options else "",
    }


def _parts(message: Message) -> Iterator[Message]:
    """A message; of the instructions, the course's text apart."""
    found = _COURSE_TEXT.match(message.text) if message.kind == "system" else None
    if found is None:
        yield message
    else:
        yield replace(message, text=found[1])
        yield replace(message, speaker=_("Course text"), text=found[2])


def figures(dry_run: DryRun) -> list[Figure]:
    """What it took."""
    row, reservations = dry_run.row, dry_run.reservations
    expected = estimated_tokens(dry_run.requests[0]) if dry_run.requests else 0
    answer = _number(reservations[0].completion_tokens) if reservations else "–"
    return [
        Figure(_("Provider and model"), "–", _model(dry_run)),
        Figure(_("Tokens sent"), _about(expected), _counted(row.prompt_tokens, dry_run)),
        Figure(_("Tokens of the answer"), answer, _counted(row.completion_tokens, dry_run)),
        Figure(_("Cost"), *_cost(dry_run)),
        Figure(_("Time to the first word"), "–", _seconds(row.first_token_ms)),
        Figure(_("Duration"), "–", _seconds(row.duration_ms)),
        Figure(_("Times the model was asked"), "–", _number(len(dry_run.requests))),
    ]


def _model(dry_run: DryRun) -> str:
    row = dry_run.row
    if dry_run.asked.is_mock or not row.provider:
        return _("None: nobody was asked")
    return f"{row.provider}: {row.model}"


def _cost(dry_run: DryRun) -> tuple[str, str]:
    if not dry_run.reservations:
        return amount(0), amount(0)
    if any(reservation.price is None for reservation in dry_run.reservations):
        unknown = _("nobody knows this model's price")
        return unknown, unknown
    return amount(dry_run.reservations[0].micros), amount(dry_run.row.cost_micros)


def _about(number: int) -> str:
    return _("about {number}").format(number=_number(number)) if number else "–"


def _counted(number: int, dry_run: DryRun) -> str:
    if dry_run.asked.is_mock:
        return _about(number)
    if dry_run.row.is_estimated:
        return _("{number} (our estimate: the provider did not say)").format(number=_number(number))
    return _number(number)


def _number(value: float) -> str:
    return formats.number_format(value, force_grouping=True)


def _seconds(milliseconds: int | None) -> str:
    if milliseconds is None:
        return "–"
    return _("{seconds} s").format(seconds=formats.number_format(milliseconds / 1000, 2))


def structured(response: Any) -> dict[str, Any] | None:
    """An answer that is data, for people and as JSON; None for one that is text."""
    if response is None or isinstance(response, str):
        return None
    return {"items": list(_items(response)), "json": pretty_json(redact(response, configured_secrets()))}


def _items(response: Any) -> Iterator[Item]:
    """Cards, or the questions of a quiz; nothing of what has another form."""
    if isinstance(response, Mapping):
        slots = response.get("question_slots")
        entries = [slot["versions"][slot["selected"]] for slot in slots] if isinstance(slots, list) else []
    else:
        entries = response if isinstance(response, list) else []
    for entry in entries:
        if isinstance(entry, Mapping) and {"question", "answer"} <= entry.keys():
            yield Item(str(entry["question"]), [str(entry["answer"])])
        elif isinstance(entry, Mapping) and "question_html" in entry:
            yield Item(plain_text(entry["question_html"]), _answers(entry))


def _answers(question: Mapping[str, Any]) -> list[str]:
    right = _("{choice} (correct)")
    choices = [
        right.format(choice=choice["text"]) if choice["is_correct"] else choice["text"]
        for choice in question.get("choices") or ()
    ]
    return choices or [str(question.get("answer_value") or "")]
