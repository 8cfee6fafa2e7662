"""Reading a tar archive that may be hostile: forward only, in memory, within bounds.

Not with ``tarfile``: it takes a damaged header for the end of the archive, calls itself for each header of a chain,
keeps every member, and in Python releases that this app supports its pax parser needs hours for one long number.
"""

from __future__ import annotations

import logging
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.edxapp.standalone.archive_errors import DamagedArchive, HostileArchive
from openedx_ai_extensions.edxapp.standalone.gunzip import MAGIC, gunzip
from openedx_ai_extensions.edxapp.standalone.tar_header import (
    BLOCK,
    LONG_LINK,
    LONG_NAME,
    PAX,
    PAX_GLOBAL,
    Header,
    MemberKind,
    as_name,
    pax_records,
)
from openedx_ai_extensions.exceptions import ProcessorError

logger = logging.getLogger(__name__)

MAX_MEMBERS = 100_000
MAX_UNPACKED_BYTES = 1024**3
MAX_NAME = 4096
# Long names, and what some systems note beside a file.
_MAX_EXTENSION = 1024**2
_MAX_EXTENSIONS_A_MEMBER = 8
_CHUNK = 1024**2


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
        if header.kind in {MemberKind.SYMBOLIC_LINK, MemberKind.HARD_LINK}:
            # A hard link is named from the root of the archive, a symbolic one from where it lies.
            base = posixpath.dirname(name) if header.kind is MemberKind.SYMBOLIC_LINK else ""
            target = _inside(header.link, base)
            if wants(name, 0):
                yield Member(name, target=target)
        elif header.kind is MemberKind.FILE and wants(name, header.size):
            data = stream.read(header.size)
            stream.skip(_padded(header.size) - header.size)
            yield Member(name, data)
        elif header.kind is MemberKind.FILE:
            stream.skip(_padded(header.size))
        elif header.kind is not MemberKind.FOLDER:
            raise HostileArchive(gettext_lazy("it holds something that is neither a file nor a folder"))
    stream.drain()


def _headers(stream: _Stream) -> Iterator[Header]:
    """Each member's header, with the long names that stand before it."""
    count, extensions = 0, 0
    changes: dict[str, str | int] = {}
    # A single block of zeros is an end too: some writers leave the second one out.
    while (block := stream.read(BLOCK)) != bytes(BLOCK):
        header = Header.parse(block)
        if header.type in {PAX, PAX_GLOBAL, LONG_NAME, LONG_LINK}:
            extensions += 1
            if header.size > _MAX_EXTENSION or extensions > _MAX_EXTENSIONS_A_MEMBER:
                raise HostileArchive(gettext_lazy("its headers are too large"))
            data = stream.read(header.size)
            stream.skip(_padded(header.size) - header.size)
            if header.type == PAX:
                changes |= pax_records(data)
            elif header.type != PAX_GLOBAL:
                changes["name" if header.type == LONG_NAME else "link"] = as_name(data)
            continue
        count += 1
        if count > MAX_MEMBERS:
            raise HostileArchive(gettext_lazy("it holds too many files"))
        yield replace(header, **changes) if changes else header  # type: ignore[arg-type]  # names are text, size a number
        changes, extensions = {}, 0


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


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
