"""Parses XML, JSON and subtitles of unknown authors: no document types, no entities, no network, limited size and
depth.
"""

from __future__ import annotations

import codecs
import html
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from lxml import etree

# Tags and attributes in one document: memory grows with their number, not with the size of the file.
MAX_MARKUP = 1_000_000
MAX_MILLISECONDS = 1_000 * 3600 * 1000  # of a video

_BEFORE_ROOT = re.compile(rb"(?:\s|<!--.*?-->|<\?.*?\?>)*+", re.DOTALL)
_ROOT = re.compile(rb"<[^\W\d]", re.ASCII)
_DECLARED_ENCODING = re.compile(rb"<\?xml\s[^<>]{0,100}?\bencoding\s*=\s*[\"']([\w.-]{1,20})[\"']", re.ASCII)
_ASCII_BASED = frozenset({"iso8859-1", "iso8859-15", "cp1252", "ascii"})

# Of subtitles. They are applied to whole texts, for speed: a course may have hours of video.
_CUE = re.compile(
    r"^(?:\d{1,9} ?\n)?(?:(?P<hours>\d{1,9}):)?(?P<minutes>\d\d):(?P<seconds>\d\d)[,.]\d{1,9} ?-->.*", re.MULTILINE
)
_MARKUP = re.compile(r"<[^<>\n]*>|\{\\[^{}\n]*\}")
_SPACES = re.compile(r"[^\S\n]+")
_LINE_ENDS = re.compile(r" ?\n[ \n]*")
_MAX_GAP_CHARS = 200  # between two cues whose positions are known
# Rolling captions repeat the previous line.
_REPEATED = re.compile(r"^(.+)(?:\n\1)+$", re.MULTILINE)


class BrokenXML(Exception):
    """The XML is not well-formed, or uses what an export never needs."""


def parse_json(data: str | bytes) -> Any:
    """Raises ValueError: the data are not JSON, not UTF-8, or nested too deep."""
    try:
        return json.loads(data)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def parse_xml(data: bytes) -> etree._Element:
    """The root element, without comments and processing instructions.

    Args:
        data: UTF-8, UTF-16 with a byte order mark, or the Western encoding that the document declares.

    Raises:
        BrokenXML: the document is not well-formed, nested too deep, too large, or has a document type.
    """
    data = _as_utf8(data)
    if markup_size(data) > MAX_MARKUP:
        raise BrokenXML("too many elements")
    before_root = _BEFORE_ROOT.match(data)
    # Checked before the parser runs, so that it never reads a document type.
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
        # Without the declaration, which may name the original encoding. Line numbers in errors stay correct.
        return etree.fromstring(b"\n" * before_root[0].count(b"\n") + data[before_root.end() :], parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BrokenXML(str(error)) from error


def markup_size(data: bytes) -> int:
    """An upper bound of the number of tags and attributes."""
    return data.count(b"<") + data.count(b"=")


def attribute(element: etree._Element, name: str) -> str:
    """An attribute's value; empty if absent."""
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
    """The codec of an encoding in which markup is the same as in ASCII; None for others."""
    try:
        codec = codecs.lookup(name).name
    except LookupError:
        return None
    return codec if codec in _ASCII_BASED else None


class Transcript(str):
    """The speech of a video.

    Attributes:
        times: where the cues of the subtitles begin, in order: pairs of a position in the text and a second of the
            video. Empty if unknown.
    """

    times: tuple[tuple[int, int], ...] = ()


def transcript_text(name: str, data: bytes) -> Transcript:
    """The speech in a subtitle file: SubRip, or Open edX's JSON format (``.sjson``); empty for other formats."""
    is_sjson = name.endswith(".sjson")
    srt = "" if is_sjson else _srt_cues(data)
    lines = "\n".join(_sjson_lines(data)) if is_sjson else _CUE.sub("", srt)
    text = Transcript(" ".join(_REPEATED.sub(r"\1", _plain(lines)).split()))
    text.times = tuple(_positions(text, _sjson_cues(data) if is_sjson else _timed_cues(srt)))
    return text


def _positions(text: str, cues: Iterable[tuple[int, str]]) -> Iterator[tuple[int, int]]:
    """The positions of cues in the text; those that are not in it, or repeat the previous one, are omitted."""
    end = 0
    for second, line in cues:
        words = " ".join(_plain(line).split())
        position = text.find(words, end, end + len(words) + _MAX_GAP_CHARS) if words else -1
        if position >= 0:
            yield position, second
            end = position + len(words)


def _plain(lines: str) -> str:
    return _LINE_ENDS.sub("\n", _SPACES.sub(" ", html.unescape(_MARKUP.sub("", lines))))


def _srt_cues(data: bytes) -> str:
    """The text of a SubRip file, starting at its first cue; empty if it contains no cue."""
    text = "\n".join(data.decode("utf-8-sig", "replace").splitlines())
    text = _LINE_ENDS.sub("\n", _SPACES.sub(" ", f"\n{text}"))
    first = _CUE.search(text)
    return text[first.start() :] if first else ""


def _timed_cues(text: str) -> Iterator[tuple[int, str]]:
    cues = list(_CUE.finditer(text))
    for cue, following in zip(cues, [*cues[1:], None], strict=True):
        end = following.start() if following else len(text)
        second = int(cue["hours"] or 0) * 3600 + int(cue["minutes"]) * 60 + int(cue["seconds"])
        yield second, text[cue.end() : end]


def _sjson_lines(data: bytes) -> list[str]:
    texts = _sjson(data).get("text")
    cues = [text for text in texts if isinstance(text, str)] if isinstance(texts, list) else []
    return [" ".join(cue.split()) for cue in cues]


def _sjson_cues(data: bytes) -> Iterator[tuple[int, str]]:
    content = _sjson(data)
    starts, texts = content.get("start"), content.get("text")
    if isinstance(starts, list) and isinstance(texts, list):
        for start, text in zip(starts, texts, strict=False):
            if isinstance(text, str) and isinstance(start, int | float) and 0 <= start < MAX_MILLISECONDS:
                yield int(start) // 1000, text


def _sjson(data: bytes) -> dict[str, Any]:
    try:
        content = parse_json(data)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}
