"""Reads a tar archive that may be hostile: forward only, in memory, within limits.

``tarfile`` reads single headers here, not the archive: it takes a damaged header for the end, calls itself for each
header of a chain, and in Python releases that this app supports its pax parser needs hours for one long number. The
archive is not unpacked by ``gzip``, which reads the texts of a header byte by byte, however long they are.
"""

from __future__ import annotations

import logging
import posixpath
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from django.utils.translation import gettext as _

from openedx_ai_extensions.exceptions import ProcessorError

logger = logging.getLogger(__name__)

MAX_MEMBERS = 100_000
MAX_UNPACKED_BYTES = 1024**3
MAX_NAME_CHARS = 4096
# Of a header that extends the next one: long names, and what some systems store about a file.
_MAX_EXTENSION_BYTES = 1024**2
_MAX_EXTENSIONS_PER_MEMBER = 8
_MAX_DIGITS = 20  # of a number in a header
# Thousands of tiny files are compressed 70 to 1, zeros 1000 to 1. Small archives may have any ratio.
_MAX_RATIO = 200
_RATIO_CHECKED_FROM_BYTES = 64 * 1024**2
_MAX_GZIP_STREAMS = 1000
_CHUNK_BYTES = 64 * 1024

_GZIP_MAGIC, _GZIP_FORMAT = b"\x1f\x8b", 31
_POSIX_MAGIC, _POSIX_MAGIC_OFFSET = b"ustar\0", 257
_EXTENSIONS = {tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
_FILES = {tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE}


class HostileArchive(Exception):
    """The archive contains something that no export contains. The message is part of a sentence, for the operator."""


class DamagedArchive(Exception):
    """It is cut off, altered, or not an archive. The message is part of a sentence, for the operator."""


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
    """Yield each wanted file and link; everything else is skipped.

    Args:
        path: a tar archive, plain or gzip.
        wants: called with a name and a size, returns whether to read it. Its exceptions are passed on.

    Raises:
        ProcessorError: not a tar archive, or one that is damaged, hostile or too large.
        OSError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            is_gzip = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
            file.seek(0)
            chunks = _unpacked(file) if is_gzip else iter(lambda: file.read(_CHUNK_BYTES), b"")
            yield from _members(_Stream(chunks), wants)
    except HostileArchive as error:
        logger.warning("standalone.archive.refused path=%s reason=%s", path, error)
        raise ProcessorError(_("The course archive is not safe to read: %(why)s.") % {"why": error}) from error
    except DamagedArchive as error:
        logger.warning("standalone.archive.damaged path=%s reason=%s", path, error)
        raise ProcessorError(
            _("The course archive is damaged or not a tar archive: %(why)s.") % {"why": error}
        ) from error


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    """The content of a gzip file in small pieces. It ends only if the checksum is right."""
    bytes_in = bytes_out = 0
    packed = b""
    for _number in range(_MAX_GZIP_STREAMS):
        stream = zlib.decompressobj(_GZIP_FORMAT)
        while not stream.eof:
            if not packed:
                packed = file.read(_CHUNK_BYTES)
                bytes_in += len(packed)
            try:
                data = stream.decompress(packed, _CHUNK_BYTES)
            except zlib.error as error:
                raise DamagedArchive(_("its contents were altered")) from error
            if not (packed or data or stream.eof):
                raise DamagedArchive(_("it is cut off"))
            packed = stream.unconsumed_tail
            bytes_out += len(data)
            if bytes_out > max(_RATIO_CHECKED_FROM_BYTES, _MAX_RATIO * bytes_in):
                raise HostileArchive(_("it unpacks to far more than its size"))
            if data:
                yield data
        packed = stream.unused_data
        # Behind a stream there may be another one. Zeros, with which tapes were filled up, are not one.
        while not (packed := packed.lstrip(b"\0")):
            packed = file.read(_CHUNK_BYTES)
            bytes_in += len(packed)
            if not packed:
                return
    raise HostileArchive(_("it is made of too many pieces"))


class _Stream:
    """Reads members, which fill whole blocks, and no more than an archive may contain."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._chunk = memoryview(b"")
        self._bytes_left = MAX_UNPACKED_BYTES

    def read(self, size: int) -> bytes:
        return b"".join(self._pieces(size))[:size]

    def skip(self, size: int) -> None:
        for _piece in self._pieces(size):
            pass

    def finish(self) -> None:
        """Read on to the end, where gzip has its checksum."""
        self._count(len(self._chunk))
        for chunk in self._chunks:
            self._count(len(chunk))

    def _pieces(self, size: int) -> Iterator[memoryview]:
        """As many whole blocks as contain ``size`` bytes."""
        size += -size % tarfile.BLOCKSIZE
        self._count(size)  # refused before it is unpacked
        while size:
            if not self._chunk:
                self._chunk = memoryview(next(self._chunks, b""))
                if not self._chunk:
                    raise DamagedArchive(_("it is cut off"))
            piece, self._chunk = self._chunk[:size], self._chunk[size:]
            size -= len(piece)
            yield piece

    def _count(self, size: int) -> None:
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise HostileArchive(_("it is too large; unpack it, and name its directory instead"))


def _members(stream: _Stream, wants: Callable[[str, int], bool]) -> Iterator[Member]:
    for header in _headers(stream):
        name = _relative_name(header.name)
        if header.issym() or header.islnk():
            # A hard link is relative to the root of the archive, a symbolic one to its own folder.
            target = _relative_name(header.linkname, posixpath.dirname(name) if header.issym() else "")
            if wants(name, 0):
                yield Member(name, target=target)
        # The oldest archives mark folders only by a slash at the end.
        elif header.type in _FILES and not header.name.endswith("/"):
            if wants(name, header.size):
                yield Member(name, stream.read(header.size))
            else:
                stream.skip(header.size)
        elif header.type not in {*_FILES, tarfile.DIRTYPE}:
            raise HostileArchive(_("it contains something that is neither a file nor a folder"))
    stream.finish()


def _headers(stream: _Stream) -> Iterator[tarfile.TarInfo]:
    """Each member's header, with the long names of the extensions before it."""
    members = extensions = 0
    changes: dict[str, str | int] = {}
    # A single block of zeros is an end too: some programs omit the second one.
    while (block := stream.read(tarfile.BLOCKSIZE)) != bytes(tarfile.BLOCKSIZE):
        header = _header(block)
        if header.type in _EXTENSIONS:
            extensions += 1
            if header.size > _MAX_EXTENSION_BYTES or extensions > _MAX_EXTENSIONS_PER_MEMBER:
                raise HostileArchive(_("its headers are too large"))
            data = stream.read(header.size)
            if header.type == tarfile.XHDTYPE:
                changes |= _pax_records(data)
            elif header.type != tarfile.XGLTYPE:
                changes["name" if header.type == tarfile.GNUTYPE_LONGNAME else "linkname"] = _text(data)
            continue
        members += 1
        if members > MAX_MEMBERS:
            raise HostileArchive(_("it contains too many files"))
        for field, value in changes.items():
            setattr(header, field, value)
        yield header
        changes, extensions = {}, 0


def _header(block: bytes) -> tarfile.TarInfo:
    """Raises DamagedArchive: the block is not a header, or its checksum is wrong."""
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        if "checksum" in str(error):
            raise DamagedArchive(_("the checksum of a header is wrong")) from error
        raise _broken_header() from error
    if header.size < 0:
        raise _broken_header()
    if not block.startswith(_POSIX_MAGIC, _POSIX_MAGIC_OFFSET):
        header.name = _text(block[:100])  # GNU has times where others have the beginning of a long name
    return header


def _text(field: bytes) -> str:
    """The text up to the first NUL; names that are not UTF-8 stay different from each other."""
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _pax_records(data: bytes) -> dict[str, str | int]:
    """The changes of a pax header to the header that follows: ``name``, ``linkname`` and ``size``.

    Raises:
        DamagedArchive: it is not a list of records.
        HostileArchive: it is about a sparse file, which unpacks to more than its size.
    """
    changes: dict[str, str | int] = {}
    start = 0
    while start < len(data) and data[start]:
        # The length of the whole record, its own digits and the line end included.
        space = data.find(b" ", start, start + _MAX_DIGITS)
        end = start + _number(data[start:space]) if space > 0 else 0
        keyword, equals, value = data[space + 1 : end - 1].partition(b"=")
        if end <= space or end > len(data) or data[end - 1 : end] != b"\n" or not equals:
            raise _broken_header()
        if keyword == b"path":
            changes["name"] = value.decode("utf-8", "surrogateescape")
        elif keyword == b"linkpath":
            changes["linkname"] = value.decode("utf-8", "surrogateescape")
        elif keyword == b"size":
            changes["size"] = _number(value)
        elif keyword.startswith(b"GNU.sparse."):
            raise HostileArchive(_("it contains something that is neither a file nor a folder"))
        start = end
    return changes


def _number(text: bytes) -> int:
    if not text.isdigit() or len(text) > _MAX_DIGITS:
        raise _broken_header()
    return int(text)


def _broken_header() -> DamagedArchive:
    return DamagedArchive(_("a header is broken"))


def _relative_name(name: str, folder: str = "") -> str:
    """The normalised name. Raises HostileArchive: it leads out of the archive, or may do so on some system."""
    path = posixpath.normpath(posixpath.join(folder, name))
    climbs = ".." in (path if folder else name).split("/")
    has_drive = name[1:2] == ":" and name[:1].isalpha() and name[2:3] in {"", "/"}
    if len(name) > MAX_NAME_CHARS or "\0" in name:
        raise HostileArchive(_("a name in it is no name of a file"))
    if name.startswith("/") or "\\" in name or climbs or has_drive:
        raise HostileArchive(_("a path in it leads outside"))
    return path
