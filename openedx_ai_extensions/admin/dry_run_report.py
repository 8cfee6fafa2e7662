"""The result of a dry run: what was sent, what came back, and what it took. Credentials are masked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext as _

from openedx_ai_extensions.admin.display import number, pretty_json, seconds
from openedx_ai_extensions.admin.sessions import Message, readable
from openedx_ai_extensions.core.redaction import configured_secrets, redact
from openedx_ai_extensions.ledger.quota import amount
from openedx_ai_extensions.policy.consent import has_accepted, terms_for
from openedx_ai_extensions.processors.llm.conversation.messages import COURSE
from openedx_ai_extensions.processors.llm.provider.calls import estimated_tokens
from openedx_ai_extensions.processors.openedx.safe_html import plain_text
from openedx_ai_extensions.runtime.dry_run import DryRun

_COURSE_TEXT = re.compile(rf"\A(?=.*\n</{COURSE}>\Z)(.*)\n\n<{COURSE}>\n(.*)\n</{COURSE}>\Z", re.DOTALL)


def notes(dry_run: DryRun) -> list[str]:
    """What would happen in a real run but not in this one."""
    texts = []
    name = dry_run.person.get_username()
    if dry_run.refusal is not None:
        refused = _("A real run by {user} would be refused now: {reason}")
        texts.append(refused.format(user=name, reason=dry_run.refusal))
    terms = terms_for(dry_run.profile)
    if terms is not None and not has_accepted(dry_run.person, terms):
        texts.append(_("Before a real run, {user} would have to accept the AI notice.").format(user=name))
    return texts


def sent(dry_run: DryRun) -> dict[str, Any]:
    """The last request to the model, which repeats the earlier ones."""
    if not dry_run.requests:
        return {"calls": 0}
    request, secrets = dry_run.requests[-1], configured_secrets()
    return {
        "calls": len(dry_run.requests),
        "messages": [part for message in readable(request.messages) for part in _parts(message)],
        "tools": [
            {"name": tool["name"], "description": redact(tool.get("description", ""), secrets),
             "parameters": pretty_json(redact(tool.get("parameters", {}), secrets))}
            for tool in request.tools
        ],
        "options": pretty_json(redact(dict(request.options), secrets)) if request.options else "",
    }  # fmt: skip


def _parts(message: Message) -> Iterator[Message]:
    """The message; the course text is split from the instructions."""
    found = _COURSE_TEXT.match(message.text) if message.kind == "system" else None
    if found is None:
        yield message
    else:
        yield replace(message, text=found[1])
        yield replace(message, speaker=_("Course text"), text=found[2])


def figures(dry_run: DryRun) -> list[tuple[str, str, str]]:
    """Tokens, cost and times: the name, the expected value, and the actual one."""
    row, reservations = dry_run.row, dry_run.reservations
    expected = estimated_tokens(dry_run.requests[0]) if dry_run.requests else 0
    answer = number(reservations[0].completion_tokens) if reservations else "–"
    is_unused = dry_run.is_mock or not row.provider
    return [
        (
            _("Provider and model"),
            "–",
            _("None: no provider was called") if is_unused else f"{row.provider}: {row.model}",
        ),
        (_("Tokens sent"), _about(expected), _counted(row.prompt_tokens, dry_run)),
        (_("Tokens in the answer"), answer, _counted(row.completion_tokens, dry_run)),
        (_("Cost"), *_cost(dry_run)),
        (_("Time to the first token"), "–", seconds(row.first_token_ms, 2)),
        (_("Duration"), "–", seconds(row.duration_ms, 2)),
        (_("Calls of the model"), "–", number(len(dry_run.requests))),
    ]


def _cost(dry_run: DryRun) -> tuple[str, str]:
    if not dry_run.reservations:
        return amount(0), amount(0)
    if any(reservation.price is None for reservation in dry_run.reservations):
        unknown = _("unknown: this model has no price")
        return unknown, unknown
    return amount(dry_run.reservations[0].micros), amount(dry_run.row.cost_micros)


def _about(tokens: int) -> str:
    return _("about {number}").format(number=number(tokens)) if tokens else "–"


def _counted(tokens: int, dry_run: DryRun) -> str:
    if dry_run.is_mock:
        return _about(tokens)
    if dry_run.row.is_estimated:
        return _("{number} (estimated: the provider did not report it)").format(number=number(tokens))
    return number(tokens)


def structured(response: Any) -> dict[str, Any] | None:
    """An answer that is data, as items with a title and lines, and as JSON; None for an answer that is text."""
    if response is None or isinstance(response, str):
        return None
    return {"items": list(_items(response)), "json": pretty_json(redact(response, configured_secrets()))}


def _items(response: Any) -> Iterator[tuple[str, list[str]]]:
    """Cards, or the questions of a quiz; nothing for data of any other form."""
    if isinstance(response, Mapping):
        slots = response.get("question_slots")
        entries = [slot["versions"][slot["selected"]] for slot in slots] if isinstance(slots, list) else []
    else:
        entries = response if isinstance(response, list) else []
    for entry in entries:
        if isinstance(entry, Mapping) and {"question", "answer"} <= entry.keys():
            yield str(entry["question"]), [str(entry["answer"])]
        elif isinstance(entry, Mapping) and "question_html" in entry:
            yield plain_text(entry["question_html"]), _answers(entry)


def _answers(question: Mapping[str, Any]) -> list[str]:
    right = _("{choice} (correct)")
    choices = [
        right.format(choice=choice["text"]) if choice["is_correct"] else choice["text"]
        for choice in question.get("choices") or ()
    ]
    return choices or [str(question.get("answer_value") or "")]
