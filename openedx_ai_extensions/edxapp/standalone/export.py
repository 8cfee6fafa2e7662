"""The files of a course export, read into memory from a directory or a tar archive.

Whoever wrote the export is not trusted: nothing is unpacked to disk, links are never followed, and sizes and counts are
bounded. The parser then sees only a mapping of names, so a reference cannot reach outside the export.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from django.utils.translation import gettext as _

from openedx_ai_extensions.edxapp.standalone.tarball import read_tar
from openedx_ai_extensions.exceptions import ProcessorError

logger = logging.getLogger(__name__)

Fingerprint = tuple[tuple[str, int, int], ...]

MAX_FILE_BYTES = 8 * 1024**2
MAX_TEXT_BYTES = 128 * 1024**2
MAX_FILES = 100_000

_TEXT_SUFFIXES = (".xml", ".html", ".json")
_TRANSCRIPT_SUFFIXES = (".srt", ".sjson")
# What a learner is never served from: unpublished work, and pages beside the course tree.
_IGNORED_FOLDERS = frozenset({"drafts", "tabs", "info", "assets"})


@dataclass(slots=True)
class _Collected:
    """Wanted files by name, within bounds."""

    files: dict[str, bytes] = field(default_factory=dict)
    size: int = 0

    def add(self, name: str, data: bytes) -> None:
        self.size += len(data)
        if len(data) > MAX_FILE_BYTES or self.size > MAX_TEXT_BYTES or len(self.files) >= MAX_FILES:
            raise ProcessorError(_("The course export is too large to be read."))
        self.files[name] = data


def read_export(path: Path) -> Mapping[str, bytes]:
    """The course's texts by their name relative to the folder that holds ``course.xml``.

    Raises:
        ProcessorError: missing, unreadable, hostile or too large, or holds no ``course.xml``.
    """
    collected = _Collected()
    try:
        if path.is_dir():
            for name, entry in _walk(path):
                # One byte more than allowed is enough to see that a file is too large.
                with Path(entry.path).open("rb") as stream:
                    collected.add(name, stream.read(MAX_FILE_BYTES + 1))
        else:
            for name, data in read_tar(path, wanted=_is_wanted, max_file_bytes=MAX_FILE_BYTES):
                collected.add(name, data)
    except OSError as error:
        logger.warning("standalone.export.unreadable path=%s error=%s", path, type(error).__name__)
        raise ProcessorError(_("The course export cannot be read.")) from error
    return _below_course_xml(collected.files)


def fingerprint(path: Path) -> Fingerprint:
    """Changes whenever the export does: name, time and size of each file that is read. Empty when there is none."""
    try:
        if not path.is_dir():
            stat = path.stat()
            return (("", stat.st_mtime_ns, stat.st_size),)
        stats = ((name, entry.stat(follow_symlinks=False)) for name, entry in _walk(path))
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats)
    except OSError:
        return ()


def _walk(folder: str | Path, below: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The wanted files below a directory with their relative names, links left out."""
    # Plain strings and directory entries: this runs every few seconds over thousands of files.
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            name = f"{below}{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if entry.name not in _IGNORED_FOLDERS:
                    yield from _walk(entry.path, f"{name}/")
            elif entry.is_file(follow_symlinks=False) and _is_wanted(name):
                yield name, entry


def _is_wanted(name: str) -> bool:
    *folders, file = name.split("/")
    if not _IGNORED_FOLDERS.isdisjoint(folders):
        return False
    return file.lower().endswith(_TRANSCRIPT_SUFFIXES if "static" in folders else _TEXT_SUFFIXES)


def _below_course_xml(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    # A course whose run is called "course" also has course/course.xml: the one nearest to the top is the entrance.
    entrances = sorted((name.count("/"), name) for name in files if PurePosixPath(name).name == "course.xml")
    if not entrances or entrances[0][0] > 1:
        raise ProcessorError(_("The course export holds no course.xml."))
    root = entrances[0][1].removesuffix("course.xml")
    return {name.removeprefix(root): data for name, data in files.items() if name.startswith(root)}
