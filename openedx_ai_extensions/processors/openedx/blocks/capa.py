"""Converts problems to text: the question and its choices; answers only if they are visible."""

from __future__ import annotations

import re

from lxml import etree

from openedx_ai_extensions.edxapp.safe_parsing import BrokenXML, parse_xml
from openedx_ai_extensions.processors.openedx.blocks.markup import TextWriter
from openedx_ai_extensions.processors.openedx.blocks.omissions import OmissionReason
from openedx_ai_extensions.processors.openedx.blocks.parsing import clean, inner_text, parse_html, squeeze
from openedx_ai_extensions.processors.openedx.blocks.repair import (
    without_attributes,
    without_lost_tags,
    without_secrets,
)

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


def additional_answers(response: etree._Element) -> tuple[str, ...]:
    """Additional correct answers, in both notations."""
    found = (element.get("answer") or element.text or "" for element in response.findall("additional_answer"))
    return tuple(filter(None, map(squeeze, found)))


def tolerance(response: etree._Element) -> str | None:
    """The tolerance of a numerical answer."""
    for element in response.findall("responseparam"):
        if element.get("type") == "tolerance":
            return element.get("default")
    return None


def hint(element: etree._Element) -> str:
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
        text = text if answers_visible else without_lost_tags(text, writer.is_secret)
    except BrokenXML:
        if markup.strip():
            omissions.add(OmissionReason.BROKEN)
        root = parse_html(without_secrets(markup, writer.is_secret), omissions)
        text = "" if root is None else writer.write(root)
        text = text if answers_visible else without_attributes(text, writer.is_secret)
    if text and not answers_visible:
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
        if self.is_secret(tag) or (not self._answers_visible and _is_solution(element)):
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
            if self._answers_visible and _is_right(element):
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
            self._answer("Answer: {}", element.get("answer") or element.get("expect"), additional_answers(element))
            self._answer("Tolerance: {}", tolerance(element))
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
        words = hint(element)
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

    def _answer(self, form: str, answer: str | None, more: tuple[str, ...] = ()) -> None:
        # The name of a script's variable is not useful.
        told = [squeeze(name) for name in (answer, *more) if name and "$" not in name]
        if self._answers_visible and told:
            self.text(form.format(" or ".join(told)))
            if not form.endswith(" "):
                self.break_line()


def _is_right(choice: etree._Element) -> bool:
    return (choice.get("correct") or "").lower() == "true" or choice.get("choice") == "correct"


def _is_solution(element: etree._Element) -> bool:
    return "detailed-solution" in (element.get("class") or "").split()


def _hide_order(group: etree._Element) -> None:
    """Sort choices that learners see shuffled: authors usually write the correct one first."""
    if (group.get("shuffle") or "").lower() == "true" or group.get("answer-pool"):
        group[:] = sorted(group, key=lambda choice: squeeze(inner_text(choice)).casefold())
