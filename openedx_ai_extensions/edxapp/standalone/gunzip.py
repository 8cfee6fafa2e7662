"""Unpacking gzip that may be a bomb: forward only, a piece at a time, checked to its end."""

from __future__ import annotations

import io
import zlib
from typing import BinaryIO

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

MAGIC = b"\x1f\x8b"
# Thousands of tiny files pack 70 to 1, zeros 1000 to 1. Small archives may do as they like.
MAX_RATIO = 200
RATIO_COUNTS_FROM = 64 * 1024**2
MAX_STREAMS = 1000

_CHUNK = 64 * 1024
_GZIP_FORMAT = 31


class BadArchive(Exception):
    """An archive that is not read.

    Args:
        reason: part of a sentence, for the operator.
    """

    def __init__(self, reason: str | Promise) -> None:
        self.reason = reason
        super().__init__(str(reason))


class HostileArchive(BadArchive):
    """It tries something that no export does."""


class DamagedArchive(BadArchive):
    """It is cut off, altered, or not an archive."""


def gunzip(packed: BinaryIO) -> io.BufferedReader:
    """A readable stream of what a gzip file holds; its end is only reached when the checksum is right.

    What reading it raises:
        DamagedArchive: cut off, altered or not gzip.
        HostileArchive: it unpacks to far more than an export would.
    """
    return io.BufferedReader(_Gunzip(packed), buffer_size=_CHUNK)


class _Gunzip(io.RawIOBase):
    """Not ``gzip.GzipFile``, which reads a header's texts byte by byte however long they are.

    Args:
        packed: the gzip file, open at its start.
    """

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._pending = b""
        self._inflate = zlib.decompressobj(_GZIP_FORMAT)
        self._streams = 1
        self._bytes_in = self._bytes_out = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        data = self._next_data(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _next_data(self, size: int) -> bytes:
        while not self._inflate.eof or self._begin_next_stream():
            packed = self._inflate.unconsumed_tail or self._next_packed()
            try:
                data = self._inflate.decompress(packed, size)
            except zlib.error as error:
                raise DamagedArchive(_("its contents were altered")) from error
            if data:
                self._bytes_out += len(data)
                if self._bytes_out > max(RATIO_COUNTS_FROM, MAX_RATIO * self._bytes_in):
                    raise HostileArchive(_("it unpacks to far more than its size"))
                return data
            if not packed and not self._inflate.eof:
                raise DamagedArchive(_("it is cut off"))
        return b""

    def _next_packed(self) -> bytes:
        packed, self._pending = self._pending, b""
        if not packed:
            packed = self._packed.read(_CHUNK)
            self._bytes_in += len(packed)
        return packed

    def _begin_next_stream(self) -> bool:
        """Is there another stream behind the one that ended? Zeros, with which tapes were filled up, are none."""
        packed = self._inflate.unused_data or self._next_packed()
        while packed and not (rest := packed.lstrip(b"\0")):
            packed = self._next_packed()
        if not packed:
            return False
        self._streams += 1
        if self._streams > MAX_STREAMS:
            raise HostileArchive(_("it is made of too many pieces"))
        self._pending = rest
        self._inflate = zlib.decompressobj(_GZIP_FORMAT)
        return True
