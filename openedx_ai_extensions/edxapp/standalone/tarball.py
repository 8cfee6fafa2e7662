"""Reading a tar archive that may be hostile: forward only, in memory, within bounds."""

from __future__ import annotations

import gzip
import logging
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Protocol

from django.utils.translation import gettext as _

from openedx_ai_extensions.exceptions import ProcessorError

logger = logging.getLogger(__name__)

MAX_MEMBERS = 200_000
MAX_UNPACKED_BYTES = 1024**3
# What one member's headers may take: long names and pax records, and the reader's own buffer.
_HEADER_ROOM = 1024**2
_GZIP_MAGIC = b"\x1f\x8b"


class HostileArchive(Exception):
    """The archive tries something that no export does."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Allowance:
    """A stream that refuses to give more than it was told to: headers and bombs cannot fill the memory."""

    def __init__(self, stream: _Readable) -> None:
        self._stream = stream
        self._left = _HEADER_ROOM

    def allow(self, size: int) -> None:
        """Let the coming member's ``size`` bytes and the next headers through."""
        self._left = size + _HEADER_ROOM

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise HostileArchive("headers too large")
        return data


def read_tar(path: Path, *, wanted: Callable[[str], bool], max_file_bytes: int) -> Iterator[tuple[str, bytes]]:
    """Yield name and data of each wanted regular file.

    Raises:
        ProcessorError: not a tar archive (plain or gzip), or one that is damaged, hostile or too large.
        OSError: the file cannot be opened.
    """
    try:
        with path.open("rb") as raw:
            is_gzip = raw.read(2) == _GZIP_MAGIC
            raw.seek(0)
            if is_gzip:
                with gzip.GzipFile(fileobj=raw) as unpacked:
                    yield from _members(unpacked, wanted, max_file_bytes)
            else:
                yield from _members(raw, wanted, max_file_bytes)
    except HostileArchive as error:
        logger.warning("standalone.archive.refused path=%s reason=%s", path, error)
        raise ProcessorError(_("The course archive is not safe to read.")) from error
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, ValueError, OverflowError) as error:
        logger.warning("standalone.archive.damaged path=%s error=%s", path, type(error).__name__)
        raise ProcessorError(_("The course archive is damaged or not a tar archive.")) from error


def _members(stream: _Readable, wanted: Callable[[str], bool], max_file_bytes: int) -> Iterator[tuple[str, bytes]]:
    allowance = _Allowance(stream)
    unpacked = 0
    with tarfile.open(fileobj=allowance, mode="r|") as archive:  # type: ignore[call-overload]  # only read() is used
        for count, member in enumerate(archive, start=1):
            unpacked += member.size
            _check(member, count, unpacked)
            allowance.allow(member.size)
            name = PurePosixPath(member.name).as_posix()
            if member.isdir() or not wanted(name):
                continue
            if member.size > max_file_bytes:
                raise HostileArchive("member too large")
            file = archive.extractfile(member)
            if file is not None:
                yield name, file.read()


def _check(member: tarfile.TarInfo, count: int, unpacked: int) -> None:
    """Raise HostileArchive unless this is a plain file or folder inside the archive, and not one too many."""
    if count > MAX_MEMBERS:
        raise HostileArchive("too many members")
    if member.size < 0 or unpacked > MAX_UNPACKED_BYTES:
        raise HostileArchive("too large")
    if not (member.isreg() or member.isdir()) or member.issparse():
        raise HostileArchive("not a plain file")
    name = member.name
    if name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/"):
        raise HostileArchive("path leads outside")
