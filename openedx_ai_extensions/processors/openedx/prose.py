"""Text of blocks that nobody taught us: the fields whose names and values read like text for learners."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from openedx_ai_extensions.edxapp.safe_xml import BrokenXML, parse_xml
from openedx_ai_extensions.processors.openedx.capa import ProblemWriter
from openedx_ai_extensions.processors.openedx.markup import parse_html

_READABLE_NAME = re.compile(
    r"(?:.*_)?(?:body|caption|content|data|description|html|instructions?|intro|introduction|message|overview|prompt"
    r"|question|statement|subtitle|summary|text|title)"
)
_SECRET_NAME = re.compile(
    r"answer|correct|explan|feedback|grad|hint|instructor|key|password|private|rubric|secret|solution|staff|teacher"
)
_JSON_OR_ADDRESS = re.compile(r"\s*(?:[\[{]|\w+://|/\S*$)")
_SECRET_MARKUP = re.compile(r"<\s*(?:\w*answer|\w*hint|solution|explanation|feedback)", re.IGNORECASE)
_TWO_WORDS = re.compile(r"[^\W\d_]{2,}[,;:]?\s+\S?[^\W\d_]{2,}")
# Scripts that write no spaces between words.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]{4,}")


def prose(fields: Mapping[str, Any]) -> str:
    """The readable fields, one below the other, without what a grader or a teacher keeps there."""
    return "\n".join(dict.fromkeys(_readable(fields)))


def _readable(fields: Mapping[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        if name == "display_name" or not isinstance(value, str) or not _READABLE_NAME.fullmatch(name):
            continue
        if _SECRET_NAME.search(name) or _JSON_OR_ADDRESS.match(value):
            continue
        root = _tree(value)
        text = "" if root is None else ProblemWriter(answers_visible=False).write(root)
        if _TWO_WORDS.search(text) or _UNSPACED.search(text):
            yield text


def _tree(markup: str) -> etree._Element | None:
    """The markup of an unknown block is read like a problem's: no answers, no hints, and no guess where they end."""
    if not _SECRET_MARKUP.search(markup):
        return parse_html(markup)
    try:
        return parse_xml(f"<div>{markup}</div>".encode("utf-8", "replace"))
    except BrokenXML:
        return None
