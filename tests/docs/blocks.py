"""The blocks of code in the documentation."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from textwrap import dedent

from django.conf import settings as site

PAGES = sorted(
    path
    for path in [*(site.REPO / "docs").rglob("*.rst"), site.REPO / "README.rst", site.REPO / "CONTRIBUTING.rst"]
    if "_build" not in path.parts
)
_DIRECTIVE = re.compile(r"( *)\.\. code-block:: (\S+)")
_LITERAL = re.compile(r"( *)(?!\.\. ).*::$")
_COMMAND = re.compile(r"(?:\./)?manage\.py (?:(?:lms|cms) )?(\w+)(?!\w)(.*)")


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code.

    Attributes:
        place: page and line.
        language: as the directive says it; empty for a literal block.
    """

    place: str
    language: str
    text: str

    def __str__(self) -> str:
        return self.place


def blocks(*languages: str) -> Iterator[Block]:
    """Those in these languages; of all if none is named."""
    for page in PAGES:
        lines = page.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            found = _DIRECTIVE.match(line) or _LITERAL.match(line)
            language = found[2] if found and found.re is _DIRECTIVE else ""
            if found and (not languages or language in languages):
                yield Block(f"{page.stem}:{number + 1}", language, _indented(lines[number + 1 :], len(found[1])))


def _indented(lines: list[str], margin: int) -> str:
    """The block below a line, without its options."""
    taken = []
    for line in lines:
        if line.strip() and len(line) - len(line.lstrip()) <= margin:
            break
        taken.append(line)
    text = dedent("\n".join(line for line in taken if not re.match(r" +:\w+:", line)))
    return text.strip("\n") + "\n"


def commands() -> Iterator[tuple[str, str, list[str]]]:
    """Every ``manage.py`` line of a block: its place, the command, its arguments."""
    for block in blocks():
        for line in block.text.replace("\\\n", " ").splitlines():
            found = _COMMAND.match(line.strip())
            if found:
                arguments = re.sub(r"<[\w ]+>", "something", re.split(r"\s[>|<]\s", found[2])[0])
                yield block.place, found[1], shlex.split(arguments, comments=True)
