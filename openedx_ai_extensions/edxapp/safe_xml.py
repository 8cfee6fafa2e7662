"""Parsing XML that someone else wrote: no document type, no entities, no network, bounded."""

from __future__ import annotations

import codecs
import re

from lxml import etree

# Tags and attributes in one document. Memory goes with their number, not with the size of the file.
MAX_MARKUP = 1_000_000

_BEFORE_ROOT = re.compile(rb"(?:\s|<!--.*?-->|<\?.*?\?>)*+", re.DOTALL)
_ROOT = re.compile(rb"<[^\W\d]", re.ASCII)
_DECLARED_ENCODING = re.compile(rb"<\?xml\s[^<>]{0,100}?\bencoding\s*=\s*[\"']([\w.-]{1,20})[\"']", re.ASCII)
_ASCII_BASED = frozenset({"iso8859-1", "iso8859-15", "cp1252", "ascii"})


class BrokenXML(Exception):
    """Not well-formed, or uses what an export never needs."""


def parse_xml(data: bytes) -> etree._Element:
    """The root element, comments and processing instructions left out.

    Args:
        data: UTF-8, UTF-16 with a byte order mark, or the Western encoding that it declares.

    Raises:
        BrokenXML: not well-formed, nested too deep, too many elements, or with a document type.
    """
    data = _as_utf8(data)
    if markup(data) > MAX_MARKUP:
        raise BrokenXML("too many elements")
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
        # Without its declaration, which may name the encoding it had. Line numbers in errors stay right.
        return etree.fromstring(b"\n" * before_root[0].count(b"\n") + data[before_root.end() :], parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BrokenXML(str(error)) from error


def markup(data: bytes) -> int:
    """How much there is to parse: at least the number of tags and attributes."""
    return data.count(b"<") + data.count(b"=")


def attribute(element: etree._Element, name: str) -> str:
    """An attribute's value, empty when absent."""
    return str(element.get(name) or "")


def _as_utf8(data: bytes) -> bytes:
    if data.startswith(codecs.BOM_UTF8):
        return data.removeprefix(codecs.BOM_UTF8)
    encoding = None
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif declared := _DECLARED_ENCODING.match(data):
        encoding = _western(declared[1].decode("ascii"))
    if encoding is None:
        return data
    try:
        return data.decode(encoding).encode()
    except UnicodeError as error:
        raise BrokenXML("not in the encoding that it declares") from error


def _western(name: str) -> str | None:
    """The codec for a declared encoding in which markup reads as it does in ASCII; None for all others."""
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        return None
    return codec if codec in _ASCII_BASED else None
