"""The parts of a problem that are shown once its answers are visible."""

from __future__ import annotations

from lxml import etree

from openedx_ai_extensions.processors.openedx.blocks.parsing import inner_text, squeeze


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
