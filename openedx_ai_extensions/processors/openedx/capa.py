"""Problems to text: the question and its choices, and no answer unless the answers are open."""

from __future__ import annotations

import re

from lxml import etree

from openedx_ai_extensions.edxapp.safe_xml import BrokenXML, parse_xml
from openedx_ai_extensions.processors.openedx.markup import TextWriter, inner_text, squeeze

_BLANK = " ____ "
# Hints of every kind end in "hint"; the rest is what a grader or a solution holds.
_SECRET = frozenset(
    {
        "additional_answer", "answer", "codeparam", "explanation", "feedback", "hintgroup", "hintpart", "loncapa",
        "responseparam", "solution", "solutionset", "targetedfeedback", "targetedfeedbackset",
    }
)  # fmt: skip
_SECRET_WHEN_OPEN = _SECRET - {"explanation", "solution", "solutionset"}
_GROUPS = frozenset({"choicegroup", "checkboxgroup", "radiogroup"})
_BLANKS = frozenset({"filesubmission", "schematic", "textbox", "textline"})
_LABELLED = frozenset({"annotationinput", "drag_and_drop_input"})
_QUOTED = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")


def problem_text(markup: str, *, answers_visible: bool) -> str:
    """What a problem asks.

    Empty for XML that is not well-formed: the platform cannot show it either, and a guess where a solution ends might
    lay it open.

    Args:
        markup: the problem's XML.
        answers_visible: also tell the answers and the solution. Hints and feedback stay out.
    """
    try:
        root = parse_xml(markup.encode("utf-8", "replace"))
    except BrokenXML:
        return ""
    return ProblemWriter(answers_visible=answers_visible).write(root)


class ProblemWriter(TextWriter):
    """Writes the elements of a problem. Attributes are never written, but for labels and names of options."""

    def __init__(self, *, answers_visible: bool) -> None:
        super().__init__()
        self._answers_visible = answers_visible
        self._secret = _SECRET_WHEN_OPEN if answers_visible else _SECRET

    def enter(self, element: etree._Element, tag: str) -> bool:
        if tag in self._secret or tag.endswith("hint") or (not self._answers_visible and _is_solution(element)):
            return False
        if tag in {"choice", "option"}:
            self.bullet()
        elif tag == "optioninput":
            self._options(element)
        elif tag in _GROUPS:
            self.break_line()
            self._label(element)
            self.break_line()
            _hide_order(element)
        elif tag == "draggable":
            self.bullet()
            self.text(element.get("label"))
        elif tag in _BLANKS or (tag.endswith("input") and tag not in _LABELLED):
            self._blank(element)
            return False
        elif tag in {"problem", "label", "description", "title"} or tag.endswith("response"):
            self.break_line()
        else:
            return super().enter(element, tag)
        return True

    def leave(self, element: etree._Element, tag: str) -> None:
        if tag in {"choice", "option"}:
            if self._answers_visible and (element.get("correct") or "").lower() == "true":
                self.text(" (correct)")
            self.end_line()
        elif tag in {"label", "description", "title", "draggable"} or tag in _GROUPS:
            self.end_line()
        elif tag.endswith("response"):
            self.break_line()
            self._answer("Answer: {}", element.get("answer") or element.get("expect"))
            self.break_line()
        else:
            super().leave(element, tag)

    def _options(self, element: etree._Element) -> None:
        self._label(element)
        names = [first or second for first, second in _QUOTED.findall(element.get("options") or "")]
        if names:
            self.text(f" [{' / '.join(squeeze(name) for name in names)}] ")
            self._answer("(correct: {}) ", element.get("correct"))

    def _blank(self, element: etree._Element) -> None:
        self._label(element)
        self.text(_BLANK)
        self._answer("(correct: {}) ", element.get("answer"))
        self.text(element.get("trailing_text"))

    def _label(self, element: etree._Element) -> None:
        """A label that screen readers get, unless the text has said it already."""
        label = squeeze(element.get("label") or "")
        if label and not any(label in line for line in (*self.lines, squeeze("".join(self._line)))):
            self.text(f" {label}")

    def _answer(self, form: str, answer: str | None) -> None:
        # A name of a script's variable tells nobody anything.
        if self._answers_visible and answer and "$" not in answer:
            self.text(form.format(squeeze(answer)))


def _is_solution(element: etree._Element) -> bool:
    return "detailed-solution" in (element.get("class") or "").split()


def _hide_order(group: etree._Element) -> None:
    """Sort choices that learners see shuffled: authors write the right one first."""
    if (group.get("shuffle") or "").lower() == "true" or group.get("answer-pool"):
        group[:] = sorted(group, key=lambda choice: squeeze(inner_text(choice)).casefold())
