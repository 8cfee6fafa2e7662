"""Reading a tar archive that may be hostile: forward only, in memory, within bounds.

``tarfile`` reads single headers here, not the archive: it takes a damaged header for its end, calls itself for each
header of a chain, and in Python releases that this app supports its pax parser needs hours for one long number.
"""

from __future__ import annotations

import logging
import posixpath
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.edxapp.standalone.gunzip import MAGIC, DamagedArchive, HostileArchive, gunzip
from openedx_ai_extensions.exceptions import ProcessorError

logger = logging.getLogger(__name__)

MAX_MEMBERS = 100_000
MAX_UNPACKED_BYTES = 1024**3
MAX_NAME = 4096
# Long names, and what some systems note beside a file.
_MAX_EXTENSION = 1024**2
_MAX_EXTENSIONS_A_MEMBER = 8
_CHUNK = 1024**2
_MAX_DIGITS = 20
_POSIX_MAGIC, _MAGIC_AT = b"ustar\0", 257
_PAX, _PAX_GLOBAL = tarfile.XHDTYPE, tarfile.XGLTYPE
_LONG_NAME, _LONG_LINK = tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE)


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Member:
    """A file of an archive, or a link from one name in it to another.

    Attributes:
        name: relative to the archive's root, without ``.`` and ``..``.
        data: a file's contents, empty for a link.
        target: the name that a link leads to, empty for a file.
    """

    name: str
    data: bytes = b""
    target: str = ""


def read_tar(path: Path, *, wants: Callable[[str, int], bool]) -> Iterator[Member]:
    """Yield each wanted file and link; everything else is passed over.

    Args:
        path: a tar archive, plain or gzip.
        wants: told a name and a size, says whether to read it. What it raises is passed on.

    Raises:
        ProcessorError: not a tar archive, or one that is damaged, hostile or too large.
        OSError: the file cannot be read.
    """
    try:
        with path.open("rb") as raw:
            is_gzip = raw.read(len(MAGIC)) == MAGIC
            raw.seek(0)
            yield from _members(_Stream(gunzip(raw) if is_gzip else raw), wants)
    except HostileArchive as error:
        logger.warning("standalone.archive.refused path=%s reason=%s", path, error)
        raise ProcessorError(_("The course archive is not safe to read: %(why)s.") % {"why": error.reason}) from error
    except DamagedArchive as error:
        logger.warning("standalone.archive.damaged path=%s reason=%s", path, error)
        raise ProcessorError(
            _("The course archive is damaged or not a tar archive: %(why)s.") % {"why": error.reason}
        ) from error


class _Stream:
    """Reads exactly what it is asked for, and no more than an archive may hold."""

    def __init__(self, readable: _Readable) -> None:
        self._readable = readable
        self._left = MAX_UNPACKED_BYTES

    def read(self, size: int) -> bytes:
        return b"".join(self._pieces(size))

    def skip(self, size: int) -> None:
        for _piece in self._pieces(size):
            pass

    def drain(self) -> None:
        """Go on to the end, where gzip has its checksum."""
        while data := self._readable.read(_CHUNK):
            self._take(len(data))

    def _pieces(self, size: int) -> Iterator[bytes]:
        # Refused before it is unpacked, not after.
        self._take(size)
        while size:
            piece = self._readable.read(min(size, _CHUNK))
            if not piece:
                raise DamagedArchive(gettext_lazy("it is cut off"))
            size -= len(piece)
            yield piece

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise HostileArchive(gettext_lazy("it is too large; unpack it, and name its directory instead"))


def _members(stream: _Stream, wants: Callable[[str, int], bool]) -> Iterator[Member]:
    for header in _headers(stream):
        name = _inside(header.name)
        if header.issym() or header.islnk():
            # A hard link is named from the root of the archive, a symbolic one from where it lies.
            base = posixpath.dirname(name) if header.issym() else ""
            target = _inside(header.linkname, base)
            if wants(name, 0):
                yield Member(name, target=target)
        # Before there was a letter for folders, a slash at the end said it.
        elif header.type in _FILES and not header.name.endswith("/"):
            if wants(name, header.size):
                data = stream.read(header.size)
                stream.skip(_padded(header.size) - header.size)
                yield Member(name, data)
            else:
                stream.skip(_padded(header.size))
        elif header.type not in {*_FILES, tarfile.DIRTYPE}:
            raise HostileArchive(gettext_lazy("it holds something that is neither a file nor a folder"))
    stream.drain()


def _headers(stream: _Stream) -> Iterator[tarfile.TarInfo]:
    """Each member's header, with the long names that stand before it."""
    count, extensions = 0, 0
    changes: dict[str, str | int] = {}
    # A single block of zeros is an end too: some writers leave the second one out.
    while (block := stream.read(tarfile.BLOCKSIZE)) != bytes(tarfile.BLOCKSIZE):
        header = _header(block)
        if header.type in {_PAX, _PAX_GLOBAL, _LONG_NAME, _LONG_LINK}:
            extensions += 1
            if header.size > _MAX_EXTENSION or extensions > _MAX_EXTENSIONS_A_MEMBER:
                raise HostileArchive(gettext_lazy("its headers are too large"))
            data = stream.read(header.size)
            stream.skip(_padded(header.size) - header.size)
            if header.type == _PAX:
                changes |= _pax_records(data)
            elif header.type != _PAX_GLOBAL:
                changes["name" if header.type == _LONG_NAME else "linkname"] = _as_name(data)
            continue
        count += 1
        if count > MAX_MEMBERS:
            raise HostileArchive(gettext_lazy("it holds too many files"))
        for field, value in changes.items():
            setattr(header, field, value)
        yield header
        changes, extensions = {}, 0


def _header(block: bytes) -> tarfile.TarInfo:
    """One block, read as a header.

    Raises:
        DamagedArchive: it is none, or its checksum is wrong.
    """
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        if "checksum" in str(error):
            raise DamagedArchive(gettext_lazy("the checksum of a header is wrong")) from error
        raise DamagedArchive(gettext_lazy("a header is broken")) from error
    if header.size < 0:
        raise DamagedArchive(gettext_lazy("a header is broken"))
    if not block.startswith(_POSIX_MAGIC, _MAGIC_AT):
        header.name = _as_name(block[:100])  # GNU has times where others have the beginning of a long name
    return header


def _as_name(field: bytes) -> str:
    """The text up to the first NUL; bytes that are not UTF-8 stay apart from each other."""
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _pax_records(data: bytes) -> dict[str, str | int]:
    """What a pax header changes of the header that follows: ``name``, ``linkname`` and ``size``.

    Raises:
        DamagedArchive: not a list of records.
        HostileArchive: a sparse file, whose size says nothing of what it unpacks to.
    """
    changes: dict[str, str | int] = {}
    start = 0
    while start < len(data) and data[start]:
        # The length of the whole record, its own digits and the line end included.
        space = data.find(b" ", start, start + _MAX_DIGITS)
        length = _decimal(data[start:space]) if space > 0 else 0
        end = start + length
        keyword, equals, value = data[space + 1 : end - 1].partition(b"=")
        if end <= space or end > len(data) or data[end - 1 : end] != b"\n" or not equals:
            raise DamagedArchive(gettext_lazy("a header is broken"))
        if keyword == b"path":
            changes["name"] = value.decode("utf-8", "surrogateescape")
        elif keyword == b"linkpath":
            changes["linkname"] = value.decode("utf-8", "surrogateescape")
        elif keyword == b"size":
            changes["size"] = _decimal(value)
        elif keyword.startswith(b"GNU.sparse."):
            raise HostileArchive(gettext_lazy("it holds something that is neither a file nor a folder"))
        start = end
    return changes


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > _MAX_DIGITS:
        raise DamagedArchive(gettext_lazy("a header is broken"))
    return int(text)


def _padded(size: int) -> int:
    return -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _inside(name: str, base: str = "") -> str:
    """A name without detours.

    Raises:
        HostileArchive: it leads out of the archive, or may do so on some system.
    """
    path = posixpath.normpath(posixpath.join(base, name))
    is_climbing = ".." in (path if base else name).split("/")
    has_drive = name[1:2] == ":" and name[:1].isalpha() and name[2:3] in {"", "/"}
    if len(name) > MAX_NAME or "\0" in name:
        raise HostileArchive(gettext_lazy("a name in it is no name"))
    if name.startswith("/") or "\\" in name or is_climbing or has_drive:
        raise HostileArchive(gettext_lazy("a path in it leads outside"))
    return path
