"""The blocks that stand before each member of a tar archive: ustar, GNU and pax."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from openedx_ai_extensions.edxapp.standalone.archive_errors import DamagedArchive, HostileArchive

BLOCK = 512

# Headers that say something of the member that follows.
PAX, PAX_GLOBAL, LONG_NAME, LONG_LINK = b"x", b"g", b"L", b"K"

_CHECKSUM = slice(148, 156)
_POSIX_MAGIC = b"ustar\0"
_IS_BINARY = 0x80
_MAX_DIGITS = 20


class MemberKind(enum.Enum):
    """What a member is, as far as it matters here."""

    FILE = enum.auto()
    FOLDER = enum.auto()
    SYMBOLIC_LINK = enum.auto()
    HARD_LINK = enum.auto()
    OTHER = enum.auto()


_KINDS = {
    b"0": MemberKind.FILE, b"\0": MemberKind.FILE, b"7": MemberKind.FILE,
    b"1": MemberKind.HARD_LINK, b"2": MemberKind.SYMBOLIC_LINK, b"5": MemberKind.FOLDER,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """One header.

    Attributes:
        type: the letter that tells kinds of members and of extensions apart.
        size: of what follows it, in bytes.
        name, link: as they are written there; nothing is checked.
    """

    type: bytes
    size: int
    name: str
    link: str

    @property
    def kind(self) -> MemberKind:
        # Before there was a letter for folders, a slash at the end said it.
        kind = _KINDS.get(self.type, MemberKind.OTHER)
        return MemberKind.FOLDER if kind is MemberKind.FILE and self.name.endswith("/") else kind

    @classmethod
    def parse(cls, block: bytes) -> Header:
        """Read one block.

        Raises:
            DamagedArchive: it is no header, or its checksum is wrong.
        """
        checksum = sum(block) - sum(block[_CHECKSUM]) + 8 * ord(" ")
        if _number(block[_CHECKSUM]) != checksum:
            raise DamagedArchive(_("the checksum of a header is wrong"))
        name, prefix = as_name(block[:100]), as_name(block[345:500])
        if prefix and block[257:263] == _POSIX_MAGIC:
            name = f"{prefix}/{name}"
        return cls(type=block[156:157], size=_number(block[124:136]), name=name, link=as_name(block[157:257]))


def as_name(field: bytes) -> str:
    """The text up to the first NUL; bytes that are not UTF-8 stay apart from each other."""
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def pax_records(data: bytes) -> dict[str, str | int]:
    """What a pax header changes of the header that follows: ``name``, ``link`` and ``size``.

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
            raise DamagedArchive(_("a header is broken"))
        if keyword == b"path":
            changes["name"] = value.decode("utf-8", "surrogateescape")
        elif keyword == b"linkpath":
            changes["link"] = value.decode("utf-8", "surrogateescape")
        elif keyword == b"size":
            changes["size"] = _decimal(value)
        elif keyword.startswith(b"GNU.sparse."):
            raise HostileArchive(_("it holds something that is neither a file nor a folder"))
        start = end
    return changes


def _number(field: bytes) -> int:
    """A number in octal, or in binary where the first bit says so."""
    if field[0] & _IS_BINARY:
        # The other bits of a first byte that is not 0x80 are a negative number's, or an absurd one's.
        if field[0] != _IS_BINARY:
            raise DamagedArchive(_("a header is broken"))
        return int.from_bytes(field[1:], "big")
    text = field.partition(b"\0")[0].strip()
    if text.strip(b"01234567"):
        raise DamagedArchive(_("a header is broken"))
    return int(text or b"0", 8)


def _decimal(text: bytes) -> int:
    if not text.isdigit() or len(text) > _MAX_DIGITS:
        raise DamagedArchive(_("a header is broken"))
    return int(text)
