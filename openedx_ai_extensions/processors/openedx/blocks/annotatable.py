"""Annotated texts: the passage, with its annotations in brackets."""

from __future__ import annotations

from lxml import etree

from openedx_ai_extensions.edxapp.interface import Block
from openedx_ai_extensions.processors.openedx.blocks.fields import joined, string, titled
from openedx_ai_extensions.processors.openedx.blocks.markup import TextWriter, parse_html
from openedx_ai_extensions.processors.openedx.blocks.omissions import OmissionReason


class _AnnotationWriter(TextWriter):
    def enter(self, element: etree._Element, tag: str) -> bool:
        return tag == "annotation" or super().enter(element, tag)

    def leave(self, element: etree._Element, tag: str) -> None:
        super().leave(element, tag)
        if tag == "annotation":
            words = joined(": ", element.get("title") or "", element.get("body") or "")
            self.text(f" [{words}]" if words else None)
        elif tag == "instructions":
            self.break_line()


def annotatable_text(block: Block, omissions: set[OmissionReason]) -> str:
    """The instructions, and the passage with its annotations."""
    root = parse_html(string(block, "data"), omissions)
    return titled(
        "Annotated text", block.display_name, "" if root is None else _AnnotationWriter(omissions).write(root)
    )
