"""The files of an export by name, however the computer that packed them wrote the names."""

from __future__ import annotations

import logging
import posixpath
import unicodedata
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from django.utils.translation import gettext as _

from openedx_ai_extensions.exceptions import ProcessorError

logger = logging.getLogger(__name__)

_PAGE_SUFFIXES = (".html", ".htm")
# A file may be asked for more than once, but an export must not make much of a little by asking again and again.
_READINGS = 3
_FREE_BYTES = 16 * 1024**2
# Subtitles take longer to read than anything else: enough for 250 hours of video.
MAX_TRANSCRIPT_BYTES = 16 * 1024**2
TRANSCRIPT_SUFFIXES = (".srt", ".sjson")


def definition_names(category: str, url_name: str) -> Iterator[str]:
    """Where the definition of a block may be that is named by a pointer."""
    path = _within(category, url_name.replace(":", "/"))
    if path:
        yield f"{path}.xml"
        if path.lower().endswith(".xml"):
            yield path


def old_definition_names(category: str, filename: str) -> Iterator[str]:
    """Where the content of a block may be in the oldest exports, which name its file beside the block's fields."""
    for folder in (category, f"{category}s"):
        path = _within(folder, filename)
        if path.lower().endswith(".xml"):
            yield path
        if path:
            yield f"{path}.xml"


def page_names(filename: str, block_id: str) -> Iterator[str]:
    """Where the HTML of a page may be.

    The platform looks beside the block's own definition, in a folder where the block's name has colons. Authors write
    the name from the folder of all pages too, or from the top, and with the extension or without.
    """
    own_folder = posixpath.dirname(block_id.replace(":", "/"))
    folders = (posixpath.join("html", own_folder), "html", "")
    for folder in dict.fromkeys(folders if "/" in filename.replace("\\", "/").strip("/") else folders[:2]):
        path = _within(folder, filename)
        if path.lower().endswith(_PAGE_SUFFIXES):
            yield path
        if path:
            yield f"{path}.html"


def static_name(name: str) -> str:
    """The name of a file among the course's static files, which authors write with that folder or without."""
    return _within("static", name.removeprefix("/").removeprefix("static/"))


def _within(folder: str, name: str) -> str:
    """A path below the folder as ``posixpath`` writes it; empty when the name leads out of it, or nowhere."""
    path = posixpath.normpath(name.replace("\\", "/").lstrip("/"))
    return "" if path.split("/")[0] in {"", ".", ".."} else posixpath.join(folder, path)


class ExportFiles(Mapping[str, bytes]):
    """File contents by name relative to the folder that holds ``course.xml``.

    A name is found as it is written, in either Unicode normal form and with or without URL escapes; failing that, in
    other capitals, where that fits one file only. Contents can be had only a bounded number of times: the sum of what
    blocks hold stays in proportion to the export.

    What reading raises:
        KeyError: no such file, or one transcript too many.
        ProcessorError: contents were asked for too often.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._names = {plain_name(name): name for name in files}
        self._folded: dict[str, list[str]] = {}
        for plain, name in self._names.items():
            self._folded.setdefault(plain.casefold(), []).append(name)
        self._left = _FREE_BYTES + _READINGS * sum(map(len, files.values()))
        self._transcripts_left = MAX_TRANSCRIPT_BYTES

    def __getitem__(self, name: str) -> bytes:
        found = self._find(name)
        if found is None:
            raise KeyError(name)
        data = self._files[found]
        if name.lower().endswith(TRANSCRIPT_SUFFIXES):
            self._transcripts_left -= len(data)
            if self._transcripts_left < 0:
                logger.warning("standalone.transcript.left_out name=%.120r", name)
                raise KeyError(name)
        self._left -= len(data)
        if self._left < 0:
            raise ProcessorError(_("The course export cannot be read: its parts repeat themselves too often."))
        return data

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) is not None

    def _find(self, name: str) -> str | None:
        """The name of a file as the export has it."""
        if name in self._files:
            return name
        plain = plain_name(name)
        folded = self._folded.get(plain.casefold(), ())
        return self._names.get(plain) or (folded[0] if len(folded) == 1 else None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


def plain_name(name: str) -> str:
    """A name as people read it, however a file system or an address spells it."""
    return unicodedata.normalize("NFC", unquote(name))
