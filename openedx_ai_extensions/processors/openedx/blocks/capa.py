"""Converts problems to text: the question and its choices; answers only if they are visible.

If the markup is malformed, a parser may guess wrong where a solution ends, and reveal it. Everything that may contain a
secret is therefore cut from the markup by tag names before it is parsed; if a start or an end is missing, more is cut.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lxml import etree

from openedx_ai_extensions.edxapp.safe_parsing import BrokenXML, parse_xml
from openedx_ai_extensions.processors.openedx.blocks.markup import TextWriter
from openedx_ai_extensions.processors.openedx.blocks.omissions import OmissionReason
from openedx_ai_extensions.processors.openedx.blocks.parsing import clean, inner_text, parse_html, squeeze

_BLANK = " ____ "
# Elements for graders, which learners never see.
_GRADERS = frozenset(
    {
        "additional_answer", "answer", "answer_display", "codeparam", "grader_payload", "loncapa", "openendedparam",
        "openendedrubric", "responseparam",
    }
)  # fmt: skip
# Elements that learners see once the answers are visible. The names of all kinds of hints end in "hint".
_ANSWERS = frozenset(
    {
        "explanation", "feedback", "hintgroup", "hintpart", "solution", "solutionset", "targetedfeedback",
        "targetedfeedbackset",
    }
)  # fmt: skip
_GROUPS = frozenset({"choicegroup", "checkboxgroup", "radiogroup", "checkboxtextgroup", "radiotextgroup"})
_BLANKS = frozenset({"crystallography", "filesubmission", "schematic", "textbox", "textline"})
_LABELLED = frozenset({"annotationinput", "drag_and_drop_input"})
_LINES = frozenset({"comment_prompt", "description", "label", "problem", "title"})
# An unterminated string extends to the end: searching again after each of its quotes would take quadratic time.
_QUOTED = re.compile(r"""(?P<quote>['"])(?P<name>(?:\\.|(?!(?P=quote))[^\\])*+)(?P<end>(?P=quote)|\\?\Z)""", re.DOTALL)
# The number of lines in which a label may have been written already.
_LABEL_LOOK_BACK_LINES = 12

_TAG = re.compile(r"<\s*+(/?)\s*+([A-Za-z][\w.:-]*+)([^<>]*+)")
_SOLUTION = "detailed-solution"
_ALWAYS_CUT = frozenset({"script", "style"})
_SECRET_ATTRIBUTE = re.compile(
    r"(?<!\w)(?>\w*?(?:answer|correct|expect|explanation|hint|solution))\w*+[\"']?\s*+=", re.IGNORECASE
)
# A tag that lost its bracket. Matches only at the start of a word: otherwise a long word takes quadratic time.
_LOST_TAG = re.compile(r"(?<![\w.:-])([A-Za-z][\w.:-]*+)\s++[A-Za-z][\w.:-]*+\s*+=")


def _hint_text(element: etree._Element) -> str:
    """A hint, and the answer that it belongs to; empty if it has no text."""
    words = squeeze(inner_text(element))
    answer = squeeze(element.get("answer") or element.get("value") or "")
    label = f"Hint for {answer}" if answer and "$" not in answer else "Hint"
    if (element.get("selected") or "").lower() == "false":
        label = "Hint if not chosen"
    return f"{label}: {words}" if words else ""


def problem_text(markup: str, *, answers_visible: bool, omissions: set[OmissionReason] | None = None) -> str:
    """The text of a problem. For malformed XML, the text that can be extracted without revealing answers.

    Args:
        markup: the problem's XML.
        answers_visible: include answers, hints and solutions.
        omissions: the reasons for omitted parts are added to this set.
    """
    omissions = set() if omissions is None else omissions
    writer = ProblemWriter(omissions, answers_visible=answers_visible)
    markup = clean(markup, omissions)
    try:
        text = writer.write(parse_xml(markup.encode("utf-8", "replace")))
        is_well_formed = True
    except BrokenXML:
        is_well_formed = False
        if markup.strip():
            omissions.add(OmissionReason.BROKEN)
        root = parse_html(_without_secrets(markup, writer.is_secret), omissions)
        text = "" if root is None else writer.write(root)
    if not answers_visible:
        text = without_lost_tags(text, writer.is_secret, is_well_formed=is_well_formed)
        if text:
            omissions.add(OmissionReason.ANSWERS)
    return text


class ProblemWriter(TextWriter):
    """Writes the elements of a problem. Of attributes, only labels and names of options are written.

    Args:
        omissions: the reasons for omitted parts are added to this set.
        answers_visible: include answers, hints and solutions.
    """

    def __init__(self, omissions: set[OmissionReason] | None = None, *, answers_visible: bool) -> None:
        super().__init__(omissions)
        self._answers_visible = answers_visible
        self._groups = 0
        # Hints of the current choice; they are written after it.
        self._choice_hints: list[str] = []

    def is_secret(self, tag: str) -> bool:
        """Are elements of this name omitted?"""
        if tag in _GRADERS:
            return True
        return not self._answers_visible and (tag in _ANSWERS or tag.endswith("hint"))

    def enter(self, element: etree._Element, tag: str) -> bool:
        if tag == "codeparam":
            self._given_code(element.findtext("initial_display"))
        is_solution = _SOLUTION in (element.get("class") or "").split()
        if self.is_secret(tag) or (not self._answers_visible and is_solution):
            return False
        if tag.endswith("hint") and tag != "demandhint":
            self._hint(element, tag)
            return False
        if tag in {"choice", "option"}:
            self.bullet()
        elif tag == "optioninput":
            self._options(element)
        elif tag in _GROUPS:
            self._begin_group(element)
        elif tag == "draggable":
            self.bullet()
            self.text(element.get("label"))
        elif tag in _BLANKS or (tag.endswith("input") and tag not in _LABELLED):
            self._blank(element)
            return False
        elif tag in _LINES or tag.endswith("response"):
            self.break_line()
        elif tag == "clarification":
            self.text(f" ({squeeze(inner_text(element))}) ")
            return False
        else:
            return super().enter(element, tag)
        return True

    def leave(self, element: etree._Element, tag: str) -> None:
        if tag in {"choice", "option"}:
            is_right = (element.get("correct") or "").lower() == "true" or element.get("choice") == "correct"
            if self._answers_visible and is_right:
                self.text(" (correct)")
            self.text("".join(f" [{words}]" for words in self._choice_hints))
            self._choice_hints.clear()
            self.end_line()
        elif tag in _GROUPS:
            self._groups -= 1
            self.end_line()
        elif tag in _LINES or tag == "draggable":
            self.end_line()
        elif tag.endswith("response"):
            self.break_line()
            more = [squeeze(each.get("answer") or each.text or "") for each in element.findall("additional_answer")]
            self._answer("Answer: {}", element.get("answer") or element.get("expect"), *filter(None, more))
            tolerance = element.find("responseparam[@type='tolerance']")
            self._answer("Tolerance: {}", None if tolerance is None else tolerance.get("default"))
            self.break_line()
        else:
            super().leave(element, tag)

    def _begin_group(self, element: etree._Element) -> None:
        self.break_line()
        self._label(element)
        self.break_line()
        if not self._groups:
            _hide_order(element)
        self._groups += 1

    def _options(self, element: etree._Element) -> None:
        self._label(element)
        found = _QUOTED.finditer(element.get("options") or "")
        names = [each["name"] for each in found if each["end"] == each["quote"]]
        if names:
            self.text(f" [{' / '.join(squeeze(name) for name in names)}] ")
            self._answer("(correct: {}) ", element.get("correct"))

    def _blank(self, element: etree._Element) -> None:
        self._label(element)
        self.text(_BLANK)
        self._answer("(correct: {}) ", element.get("answer") or element.get("correct_answer"))
        self.text(element.get("trailing_text"))
        if element.tag == "textbox":
            self._given_code(element.text)

    def _given_code(self, code: str | None) -> None:
        """Code that an input box initially contains."""
        if code and code.strip() and not self._lines_around_cells:
            self.break_line()
            self.code(code)

    def _hint(self, element: etree._Element, tag: str) -> None:
        words = _hint_text(element)
        if words and tag in {"choicehint", "optionhint"}:
            self._choice_hints.append(words)
        elif words:
            self.break_line()
            self.text(words)
            self.break_line()

    def _label(self, element: etree._Element) -> None:
        """A label for screen readers, unless the text contains it already."""
        label = squeeze(element.get("label") or "")
        said = (*self.lines[-_LABEL_LOOK_BACK_LINES:], squeeze("".join(self._line[-_LABEL_LOOK_BACK_LINES:])))
        if label and not any(label in line for line in said):
            self.text(f" {label}")

    def _answer(self, form: str, *answers: str | None) -> None:
        # The name of a script's variable is not useful.
        told = [squeeze(name) for name in answers if name and "$" not in name]
        if self._answers_visible and told:
            self.text(form.format(" or ".join(told)))
            if not form.endswith(" "):
                self.break_line()


def _hide_order(group: etree._Element) -> None:
    """Sort choices that learners see shuffled: authors usually write the correct one first."""
    if (group.get("shuffle") or "").lower() == "true" or group.get("answer-pool"):
        group[:] = sorted(group, key=lambda choice: squeeze(inner_text(choice)).casefold())


@dataclass(slots=True)
class _Region:
    """The positions of the tags of one name."""

    first: int
    last: int
    paired: list[tuple[int, int]]
    open_at: int | None = None
    damaged: bool = False


def _without_secrets(markup: str, is_secret: Callable[[str], bool]) -> str:
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


def without_lost_tags(text: str, is_secret: Callable[[str], bool], *, is_well_formed: bool) -> str:
    """Remove lines that contain attributes of answers or of secret tags as text.

    In well-formed markup, a tag without its beginning ends with ``/>``, which is rare in text.
    """
    return "\n".join(
        line
        for line in text.split("\n")
        if (is_well_formed and "/>" not in line)
        or not (
            _SECRET_ATTRIBUTE.search(line)
            or any(is_secret(tag[1].rpartition(":")[2].lower()) for tag in _LOST_TAG.finditer(line))
        )
    )


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
