"""Converts quiz questions to OLX for the problem block."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from lxml import etree

from openedx_ai_extensions.processors.openedx.safe_html import MARKUP, parse_html

CATEGORY = "problem"
# The problem block replaces "$" followed by one of these names.
_VARIABLE = re.compile(r"\$(?=seed|anonymous_student_id|script_code|python_path|extra_files|attempt)")
_WORD_JOINER = "\u2060"


def problem_olx(question: Mapping[str, Any]) -> str:
    """The ``<problem>`` of a question, in the form of the platform's editor.

    Args:
        question: in the form of ``questions.read_question``; ``olx`` is not needed.
    """
    problem = etree.Element("problem", display_name=question["display_name"])
    response = etree.Element(question["problem_type"])
    asked = parse_html(question["question_html"])
    if response.tag == "stringresponse":
        asked.tag = "label"
        response.append(_guarded(asked))
    else:
        problem.append(asked)
        response.append(_field_name(question["display_name"]))
    problem.append(response)
    _BODIES[question["problem_type"]](response, question)
    if question["explanation"]:
        response.append(_solution(question["explanation"]))
    if question["demand_hints"]:
        hints = etree.SubElement(problem, "demandhint")
        hints.extend(_with_text("hint", hint) for hint in question["demand_hints"])
        _on_lines(hints)
    _on_lines(response)
    _on_lines(problem)
    _without_variables(problem)
    return str(etree.tostring(problem, encoding="unicode"))


def option_text(text: str) -> str:
    """A choice of a dropdown: one line, without characters that the problem block would read as quotes or tags."""
    line = " ".join(text.split()).replace("'", "’").replace("&#39;", "’").rstrip("\\ ")
    return MARKUP.sub("< ", line)


def _field_name(title: str) -> etree._Element:
    """The label of the answer field for screen readers: the question is above it, where the editor expects it."""
    label = etree.Element("label")
    etree.SubElement(label, "span", {"class": "sr"}).text = title
    return label


def _choices(response: etree._Element, question: Mapping[str, Any]) -> None:
    is_single = response.tag == "multiplechoiceresponse"
    group = etree.SubElement(response, "choicegroup" if is_single else "checkboxgroup")
    if is_single:
        group.set("type", "MultipleChoice")
    for choice in question["choices"]:
        element = _with_text("choice", choice["text"])
        element.set("correct", "true" if choice["is_correct"] else "false")
        group.append(element)
        if choice["feedback"]:
            hint = _with_text("choicehint", choice["feedback"])
            if not is_single:
                hint.set("selected", "true")
            element.append(hint)
    _on_lines(group)


def _options(response: etree._Element, question: Mapping[str, Any]) -> None:
    field = etree.SubElement(response, "optioninput")
    for choice in question["choices"]:
        option = etree.SubElement(field, "option", correct="True" if choice["is_correct"] else "False")
        option.text = option_text(choice["text"])
        if choice["feedback"]:
            option.append(_with_text("optionhint", choice["feedback"]))
    _on_lines(field)


def _number(response: etree._Element, question: Mapping[str, Any]) -> None:
    response.set("answer", question["answer_value"])
    if question["tolerance"]:
        etree.SubElement(response, "responseparam", type="tolerance", default=question["tolerance"])
    etree.SubElement(response, "formulaequationinput")


def _string(response: etree._Element, question: Mapping[str, Any]) -> None:
    response.set("answer", question["answer_value"])
    response.set("type", "ci")
    etree.SubElement(response, "textline", size="20")


_BODIES = {
    "multiplechoiceresponse": _choices,
    "choiceresponse": _choices,
    "optionresponse": _options,
    "numericalresponse": _number,
    "stringresponse": _string,
}
PROBLEM_TYPES = tuple(_BODIES)


def _solution(explanation: str) -> etree._Element:
    solution = etree.Element("solution")
    body = etree.SubElement(solution, "div", {"class": "detailed-solution"})
    etree.SubElement(body, "p").text = _("Explanation")
    etree.SubElement(body, "p").text = explanation
    return solution


def _with_text(tag: str, text: str) -> etree._Element:
    """Plain text in a ``div``: the problem block would parse the first words of the element itself as markup."""
    element = etree.Element(tag)
    etree.SubElement(element, "div").text = text
    return element


def _guarded(element: etree._Element) -> etree._Element:
    """Wrap a label whose first words contain "<" or "&": the problem block would parse them as markup, except in a
    child.
    """
    if not re.search("[<&]", element.text or ""):
        return element
    guarded = etree.Element(element.tag)
    element.tag = "span"
    guarded.append(element)
    return guarded


def _on_lines(parent: etree._Element) -> None:
    """Put each child on a line of its own, for readability. Only for elements in which whitespace is not
    significant.
    """
    parent.text = "\n"
    for child in parent:
        child.tail = "\n"


def _without_variables(root: etree._Element) -> None:
    for element in root.iter():
        for name, value in element.attrib.items():
            element.set(name, _inert(str(value)))
        element.text = element.text and _inert(element.text)
        element.tail = element.tail and _inert(element.tail)


def _inert(text: str) -> str:
    return _VARIABLE.sub(f"${_WORD_JOINER}", text)
