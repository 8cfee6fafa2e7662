"""The published editor of quiz questions: how it reads the OLX of a problem, and how it writes it."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

TYPES = ("multiplechoiceresponse", "choiceresponse", "optionresponse", "numericalresponse", "stringresponse")


def read(olx: str) -> dict[str, Any]:
    """The fields of a question, as the editor finds them."""
    problem = etree.fromstring(olx)
    [response] = [element for element in problem.iter() if element.tag in TYPES]
    asked = response.find("label") if response.tag == "stringresponse" else problem.find("div")
    texts = problem.xpath(".//solution//*[contains(@class, 'detailed-solution')]/p")
    tolerance = response.xpath(".//responseparam[@type='tolerance']/@default")
    return {
        "displayName": problem.get("display_name"),
        "questionHtml": _inner(asked),
        "problemType": response.tag,
        "choices": [*map(_choice, response.iter("choice")), *map(_option, response.iter("option"))],
        "answerValue": response.get("answer"),
        "tolerance": tolerance[0] if tolerance else None,
        "explanation": _text(texts[1]) if len(texts) > 1 else "",
        "demandHints": [_text(hint) for hint in problem.xpath(".//demandhint/hint/div")],
    }


def write(question: dict[str, Any]) -> str:
    """The OLX that the editor makes of the fields."""
    kind = question["problemType"]
    asked = question["questionHtml"]
    hints = "".join(f"<hint><div>{escape(hint)}</div></hint>" for hint in question["demandHints"])
    body = {"stringresponse": f"<label>{asked}</label>"}.get(kind, "") + _body(question)
    answer = "" if question["answerValue"] is None else f" answer={quoteattr(question['answerValue'])}"
    return (
        f"<problem>{'' if kind == 'stringresponse' else f'<div>{asked}</div>'}"
        f'<{kind}{answer}>{body}<solution><div class="detailed-solution"><p>Explanation</p>'
        f"<p>{escape(question['explanation'])}</p></div></solution></{kind}><demandhint>{hints}</demandhint></problem>"
    )


def _body(question: dict[str, Any]) -> str:
    kind = question["problemType"]
    if kind == "numericalresponse":
        tolerance = question["tolerance"]
        given = f'<responseparam type="tolerance" default={quoteattr(tolerance)}/>' if tolerance else ""
        return f"{given}<formulaequationinput/>"
    if kind == "stringresponse":
        return '<textline size="20"/>'
    group, item = {
        "multiplechoiceresponse": ("choicegroup", "choice"),
        "choiceresponse": ("checkboxgroup", "choice"),
        "optionresponse": ("optioninput", "option"),
    }[kind]
    rows = []
    for choice in question["choices"]:
        text = escape(choice["text"]) if item == "option" else f"<div>{escape(choice['text'])}</div>"
        selected = ' selected="true"' if kind == "choiceresponse" else ""
        feedback = f"<{item}hint{selected}><div>{escape(choice['feedback'])}</div></{item}hint>"
        rows.append(f'<{item} correct="{str(choice["isCorrect"]).lower()}">{text}{feedback}</{item}>')
    return f"<{group}>{''.join(rows)}</{group}>"


def _choice(choice: etree._Element) -> dict[str, Any]:
    text = choice.find("div")
    return {
        "text": (choice.text or "").strip() if text is None else _text(text),
        "isCorrect": choice.get("correct", "").lower() == "true",
        "feedback": "".join(map(_text, choice.findall("choicehint/div"))),
    }


def _option(option: etree._Element) -> dict[str, Any]:
    texts = option.xpath("text()|*[not(self::optionhint)]//text()")
    return {
        "text": "".join(texts).strip(),
        "isCorrect": option.get("correct", "").lower() == "true",
        "feedback": "".join(map(_text, option.findall("optionhint/div"))),
    }


def _text(element: etree._Element) -> str:
    return str(element.xpath("string()")).strip()


def _inner(element: etree._Element | None) -> str:
    if element is None:
        return ""
    children = (etree.tostring(child, encoding="unicode") for child in element)
    return (escape(element.text or "") + "".join(children)).strip()
