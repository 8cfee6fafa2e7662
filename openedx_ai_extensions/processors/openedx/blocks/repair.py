"""Damaged markup of problems: what is read of it must not be an answer.

A parser's guess where a damaged solution ends might lay it open. So what may hold a secret is cut out of the markup as
it is written, by the names of its tags, before any parser guesses; where a beginning or an end is missing, more goes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_TAG = re.compile(r"<\s*+(/?)\s*+([A-Za-z][\w.:-]*+)([^<>]*+)")
_SOLUTION = "detailed-solution"
_ALWAYS_CUT = frozenset({"script", "style"})
_TOLD_ATTRIBUTE = re.compile(
    r"(?<!\w)(?>\w*?(?:answer|correct|expect|explanation|hint|solution))\w*+[\"']?\s*+=", re.IGNORECASE
)

# What is left of a tag that lost its bracket. Only where a word begins: else a long word takes quadratic time.
_LOST_TAG = re.compile(r"(?<![\w.:-])([A-Za-z][\w.:-]*+)\s++[A-Za-z][\w.:-]*+\s*+=")


@dataclass(slots=True)
class _Region:
    """Where tags of one name stand."""

    first: int
    last: int
    paired: list[tuple[int, int]]
    open_at: int | None = None
    damaged: bool = False


def without_secrets(markup: str, is_secret: Callable[[str], bool]) -> str:
    """Markup without anything that a secret tag may hold.

    Args:
        markup: as it is, however damaged.
        is_secret: is a tag of this name, in lower case, secret?
    """
    cuts = [*_declarations(markup), *_tags(markup, is_secret)]
    if _SOLUTION in markup and is_secret("solution"):
        cuts.append((markup.index(_SOLUTION), len(markup)))
    kept, position = [], 0
    for start, end in sorted(cuts):
        kept.append(markup[position:start])
        position = max(position, end)
    return "".join((*kept, markup[position:]))


def without_attributes(text: str, is_secret: Callable[[str], bool]) -> str:
    """Text without lines in which an attribute that tells an answer, or any of a secret tag, has become text."""
    return "\n".join(line for line in text.split("\n") if not _tells(line, is_secret))


def without_lost_tags(text: str, is_secret: Callable[[str], bool]) -> str:
    """The same for markup that is well-formed: a tag that lost its beginning ends in the text, where ``/>`` is rare."""
    return "\n".join(line for line in text.split("\n") if "/>" not in line or not _tells(line, is_secret))


def _tells(line: str, is_secret: Callable[[str], bool]) -> bool:
    names = (tag[1].rpartition(":")[2].lower() for tag in _LOST_TAG.finditer(line))
    return bool(_TOLD_ATTRIBUTE.search(line)) or any(is_secret(name) for name in names)


def _declarations(markup: str) -> Iterator[tuple[int, int]]:
    """A document type, from its beginning to the last end that it may have, and comments likewise."""
    lowered = markup.lower()
    for opening, ending in (("<!doctype", "]>" if "[" in markup else ">"), ("<!-", "->"), ("<!entity", "]>")):
        start = lowered.find(opening)
        if start >= 0:
            end = lowered.find(ending, start) if ending == ">" else lowered.rfind(ending, start)
            yield start, end + len(ending) if end >= 0 else len(markup)


def _tags(markup: str, is_secret: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    regions: dict[str, _Region] = {}
    for tag in _TAG.finditer(markup):
        closing, name = tag[1], tag[2].rpartition(":")[2].lower()
        if name not in _ALWAYS_CUT and not is_secret(name):
            continue
        is_ended = markup.startswith(">", tag.end())
        end = tag.end() + is_ended
        if not closing and is_ended and tag[3].endswith("/"):
            continue
        # An end without a beginning: nobody knows how long it has been secret.
        region = regions.setdefault(name, _Region(0 if closing else tag.start(), 0, []))
        if closing:
            region.last = end
            if region.open_at is None:
                region.damaged = True
            else:
                region.paired.append((region.open_at, end))
            region.open_at = None
        else:
            region.damaged = region.damaged or region.open_at is not None
            region.open_at = tag.start()
    for region in regions.values():
        last = region.last if region.open_at is None else len(markup)
        if region.damaged:
            yield region.first, last
            continue
        yield from region.paired
        if region.open_at is not None:
            yield region.open_at, last
