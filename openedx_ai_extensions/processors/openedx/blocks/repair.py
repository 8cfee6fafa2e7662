"""Removes answers from malformed markup of problems.

A parser may guess wrong where a broken solution ends, and reveal it. Everything that may contain a secret is therefore
cut from the markup by tag names before it is parsed; if a start or an end is missing, more is cut.
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

# A tag that lost its bracket. Matches only at the start of a word: otherwise a long word takes quadratic time.
_LOST_TAG = re.compile(r"(?<![\w.:-])([A-Za-z][\w.:-]*+)\s++[A-Za-z][\w.:-]*+\s*+=")


@dataclass(slots=True)
class _Region:
    """The positions of the tags of one name."""

    first: int
    last: int
    paired: list[tuple[int, int]]
    open_at: int | None = None
    damaged: bool = False


def without_secrets(markup: str, is_secret: Callable[[str], bool]) -> str:
    """The markup without anything that may be in a secret element.

    Args:
        markup: the markup, which may be malformed.
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
    """Remove lines that contain attributes of answers or of secret tags as text."""
    return "\n".join(line for line in text.split("\n") if not _tells(line, is_secret))


def without_lost_tags(text: str, is_secret: Callable[[str], bool]) -> str:
    """The same for well-formed markup: a tag without its beginning ends with ``/>``, which is rare in text."""
    return "\n".join(line for line in text.split("\n") if "/>" not in line or not _tells(line, is_secret))


def _tells(line: str, is_secret: Callable[[str], bool]) -> bool:
    names = (tag[1].rpartition(":")[2].lower() for tag in _LOST_TAG.finditer(line))
    return bool(_TOLD_ATTRIBUTE.search(line)) or any(is_secret(name) for name in names)


def _declarations(markup: str) -> Iterator[tuple[int, int]]:
    """Document types and comments, from their start to the last possible end."""
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
        # An end without a start: the secret may have started anywhere before.
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
