"""Best-effort text of blocks of unknown types, from fields whose names and values look like text for learners."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from openedx_ai_extensions.processors.openedx.blocks.capa import problem_text
from openedx_ai_extensions.processors.openedx.blocks.markup import rich_text
from openedx_ai_extensions.processors.openedx.blocks.omissions import OmissionReason
from openedx_ai_extensions.processors.openedx.blocks.parsing import MAX_MARKUP_CHARS, clean

_READABLE_NAME = re.compile(
    r"(?:.*_)?(?:body|caption|content|data|description|heading|html|instructions?|intro|introduction|message|overview"
    r"|paragraph|prompt|question|statement|subtitle|summary|text|title)"
)
_SECRET_NAME = re.compile(
    r"answer|api_|auth|correct|credential|example|explan|feedback|grad|hint|instructor|key|note|passport|passphrase"
    r"|password|private|rubric|secret|signature|solution|staff|teacher|token"
)
_JSON_OR_ADDRESS = re.compile(r"\s*+(?:[\[{]|\w++://|/\S*+$)")
# Elements of problems, which may contain answers; other markup is HTML.
_PROBLEM_MARKUP = re.compile(
    r"<\s*+/?\s*+(?:[\w.:-]*(?:answer|hint|response|param)|[\w.:-]*:?(?:solution|explanation|feedback))\b"
    r"|detailed-solution",
    re.IGNORECASE,
)
_TWO_WORDS = re.compile(r"(?<![^\W\d_])[^\W\d_]{2,}+[,;:]?\s+\S?[^\W\d_]{2,}")
# Scripts without spaces between words.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]{4,}")

# The number of characters in which text for people is recognised.
_CHECKED_CHARS = 1000


def readable_text(fields: Mapping[str, Any], omissions: set[OmissionReason] | None = None) -> str:
    """The readable fields, one below the other, without those of graders or teachers.

    Args:
        fields: the fields of a block by name.
        omissions: the reasons for omitted parts are added to this set.
    """
    omissions = set() if omissions is None else omissions
    return "\n".join(dict.fromkeys(_readable(fields, omissions)))


def _readable(fields: Mapping[str, Any], omissions: set[OmissionReason]) -> Iterator[str]:
    room = MAX_MARKUP_CHARS - len("<div></div>")
    for name, value in fields.items():
        if name == "display_name" or not isinstance(value, str) or not _READABLE_NAME.fullmatch(name):
            continue
        if _SECRET_NAME.search(name) or _JSON_OR_ADDRESS.match(value):
            continue
        if not room:
            omissions.add(OmissionReason.TOO_LONG)
            return
        markup = clean(value, omissions)[:room]
        room -= len(markup)
        text = _text(markup, omissions)
        beginning = text[:_CHECKED_CHARS]
        if _TWO_WORDS.search(beginning) or _UNSPACED.search(beginning):
            yield text


def _text(markup: str, omissions: set[OmissionReason]) -> str:
    """The text of markup that may be a problem's: without answers and hints, also in malformed markup."""
    if not _PROBLEM_MARKUP.search(markup):
        return rich_text(markup, omissions)
    omissions.add(OmissionReason.ANSWERS)
    return problem_text(f"<div>{markup}</div>", answers_visible=False, omissions=omissions)
