"""Parsing XML that someone else wrote: no document type, no entities, no network, no other encoding than UTF-8."""

from __future__ import annotations

import re

from lxml import etree

_BEFORE_ROOT = re.compile(rb"(?:\s|<!--.*?-->|<\?.*?\?>)*+", re.DOTALL)
_ROOT = re.compile(rb"<[^\W\d]", re.ASCII)


class BrokenXML(Exception):
    """Not well-formed, or uses what an export never needs."""


def parse_xml(data: bytes) -> etree._Element:
    """The root element, comments and processing instructions left out.

    Raises:
        BrokenXML: not well-formed UTF-8 XML, nested too deep, or with a document type.
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    before_root = _BEFORE_ROOT.match(data)
    # Seen before the parser runs, so that a document type is never even looked at.
    if before_root is None or not _ROOT.match(data, before_root.end()):
        raise BrokenXML("no root element, or a document type")
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BrokenXML(str(error)) from error


def attribute(element: etree._Element, name: str) -> str:
    """An attribute's value, empty when absent."""
    return str(element.get(name) or "")
