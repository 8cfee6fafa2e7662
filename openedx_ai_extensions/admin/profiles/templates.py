"""The templates that a profile can start from, described for those who pick one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from openedx_ai_extensions.workflows.readable_errors import Readable, readable
from openedx_ai_extensions.workflows.template_utils import (
    discover_templates,
    load_template,
    template_problem,
    template_version,
)

_LINE_COMMENTS = re.compile(r"\s*((?://[^\n]*\n\s*)+)")
_BLOCK_COMMENT = re.compile(r"\s*/\*(.*?)\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TemplateInfo:
    """What to know of a template before picking it.

    Attributes:
        path: inside its directory, as a profile names it.
        name: for people.
        description: its ``description`` key or else the first paragraph of the comment it begins with; may be empty.
        problem: why it cannot be used; None when it can.
        text: the file as it is.
    """

    path: str
    name: str
    description: str = ""
    problem: str | None = None
    text: str = ""

    @property
    def source(self) -> Readable:
        """The file, comments and all, without credentials."""
        return readable(self.text)


def all_templates() -> list[TemplateInfo]:
    """Every template on disk, by path."""
    return [_info(path, name) for path, name in discover_templates()]


def template_info(path: str) -> TemplateInfo:
    """One template; of one that is not there only the path and the problem are known."""
    return _info(path, dict(discover_templates()).get(path, path))


def _info(path: str, name: str) -> TemplateInfo:
    # Parsed templates are cached, so a page with all of them is quick; why one does not load is found out anew.
    config = load_template(path)
    version = template_version(path)
    if config is None or version is None:
        return TemplateInfo(path, name, problem=template_problem(path))
    text = Path(version[0]).read_text(encoding="utf-8")
    stated = config.get("description")
    description = stated if isinstance(stated, str) and stated.strip() else leading_comment(text)
    return TemplateInfo(path, name, " ".join(description.split()), text=text)


def leading_comment(source: str) -> str:
    """The first paragraph of the comment that a template begins with; empty without one."""
    source = source.removeprefix("\ufeff")
    lines = _LINE_COMMENTS.match(source)
    if lines is not None:
        words = [line.strip().removeprefix("//") for line in lines[1].splitlines()]
    else:
        block = _BLOCK_COMMENT.match(source)
        words = [line.strip().lstrip("*") for line in block[1].splitlines()] if block else []
    paragraph: list[str] = []
    for line in words:
        # What is set in further is an example, and an empty line ends the paragraph.
        if paragraph and (not line.strip() or line.startswith("  ")):
            break
        if line.strip():
            paragraph.append(line.strip())
    return "\n".join(paragraph)
