"""The files of a course export, read into memory from a directory or a tar archive.

Whoever wrote the export is not trusted: nothing is unpacked to disk, a link only ever leads to another name in the
export, and sizes and counts are bounded. The parser then sees only a mapping of names: no reference reaches outside it.
"""

from __future__ import annotations

import itertools
import logging
import os
import posixpath
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from django.utils.translation import gettext as _

from openedx_ai_extensions.edxapp.standalone.files import TRANSCRIPT_SUFFIXES, ExportFiles
from openedx_ai_extensions.edxapp.standalone.tarball import read_tar
from openedx_ai_extensions.exceptions import ProcessorError

logger = logging.getLogger(__name__)

Fingerprint = tuple[tuple[str, int, int], ...]

MAX_FILE_BYTES = 8 * 1024**2
MAX_TEXT_BYTES = 128 * 1024**2
MAX_TRANSCRIPTS_BYTES = 64 * 1024**2
MAX_FILES = 100_000
MAX_DEPTH = 20
_MAX_LINKS_IN_A_ROW = 8

# Pages beside the course tree, and what editors and systems leave behind.
_IGNORED_FOLDERS = frozenset({"tabs", "info", "assets", "__MACOSX"})
# Folders of blocks, whose own folders may have any name. Not "course": exports often have a folder of that name on top.
_BLOCK_FOLDERS = frozenset({"html", "problem", "video", "chapter", "sequential", "vertical"})


@dataclass(slots=True)
class _Collected:
    """Wanted files and links by name, within bounds.

    Attributes:
        with_drafts: unpublished work is wanted too.
        left_out: how many transcripts there was no room for.
    """

    with_drafts: bool
    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    text_size: int = 0
    transcript_size: int = 0
    left_out: int = 0

    def wants(self, name: str, size: int) -> bool:
        """Is it to be read? Counts it if so.

        Raises:
            ProcessorError: too large, or one too many.
        """
        if not _is_wanted(name, with_drafts=self.with_drafts):
            return False
        if name.lower().endswith(TRANSCRIPT_SUFFIXES):
            return self._has_room_for_transcript(size)
        self.text_size += size
        if size > MAX_FILE_BYTES or self.text_size > MAX_TEXT_BYTES or len(self.files) + len(self.links) >= MAX_FILES:
            raise ProcessorError(_("The course export is too large to be read."))
        return True

    def _has_room_for_transcript(self, size: int) -> bool:
        # Without its transcripts a course still is one.
        has_room = size <= MAX_FILE_BYTES and self.transcript_size + size <= MAX_TRANSCRIPTS_BYTES
        if has_room and len(self.files) + len(self.links) < MAX_FILES:
            self.transcript_size += size
            return True
        self.left_out += 1
        return False

    def by_all_names(self) -> dict[str, bytes]:
        """Files by name, links that lead to one of them included."""
        files = dict(self.files)
        for name in self.links:
            target = name
            for _hop in range(_MAX_LINKS_IN_A_ROW):
                target = self.links.get(target, target)
            if target in self.files:
                files[name] = self.files[target]
        return files


def read_export(path: Path, *, with_drafts: bool = False) -> ExportFiles:
    """The course's texts by their name relative to the folder that holds ``course.xml``.

    Args:
        path: a directory, or a tar archive, plain or gzip.
        with_drafts: unpublished work too, below ``drafts/``.

    Raises:
        ProcessorError: missing, unreadable, hostile or too large, or holds no ``course.xml``.
    """
    collected = _Collected(with_drafts)
    try:
        if path.is_dir():
            _read_directory(path, collected)
        elif path.is_file():
            for member in read_tar(path, wants=collected.wants):
                if member.target:
                    collected.links[member.name] = member.target
                else:
                    collected.files[member.name] = member.data
        else:
            raise FileNotFoundError(path)
    except OSError as error:
        logger.warning("standalone.export.unreadable path=%s error=%s", path, type(error).__name__)
        raise ProcessorError(_("The course export cannot be read: it is missing, or may not be opened.")) from error
    if collected.left_out:
        logger.warning("standalone.export.transcripts_left_out path=%s count=%d", path, collected.left_out)
    files = collected.by_all_names()
    broken_links = len(collected.files.keys() | collected.links.keys()) - len(files)
    if broken_links:
        logger.warning("standalone.export.links_left_out path=%s count=%d", path, broken_links)
    return ExportFiles(_below_course_xml(files))


def fingerprint(path: Path, *, with_drafts: bool = False) -> Fingerprint:
    """Changes whenever the export does: name, time and size of each file that is read. Empty when there is none."""
    try:
        if not path.is_dir():
            found = path.stat()
            return (("", found.st_mtime_ns, found.st_size),)
        stats = ((name, entry.stat(follow_symlinks=False)) for name, entry in _walk(path))
        return tuple(
            (name, found.st_mtime_ns, found.st_size)
            for name, found in stats
            if _is_wanted(name, with_drafts=with_drafts)
        )
    except OSError:
        return ()


def _read_directory(path: Path, collected: _Collected) -> None:
    for name, entry in _walk(path):
        if entry.is_symlink():
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), os.readlink(entry.path)))  # noqa: PTH115
            if collected.wants(name, 0):
                collected.links[name] = target
        elif entry.is_file(follow_symlinks=False) and _is_wanted(name, with_drafts=collected.with_drafts):
            data = _read_file(entry.path)
            if collected.wants(name, len(data)):
                collected.files[name] = data


def _read_file(path: str) -> bytes:
    """A regular file's start, one byte more than allowed: enough to see that it is too large."""
    # Whatever has taken the file's place since it was listed is neither followed nor waited for.
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise FileNotFoundError(path)
        return stream.read(MAX_FILE_BYTES + 1)


def _walk(folder: str | Path, below: str = "", depth: int = 0) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """What lies below a directory, with its name relative to it. Links to folders are not entered."""
    # Plain strings and directory entries: this runs every few seconds over thousands of files.
    with os.scandir(folder) as found:
        entries = sorted(itertools.islice(found, MAX_FILES), key=lambda entry: entry.name)
    for entry in entries:
        name = f"{below}{entry.name}"
        if not entry.is_dir(follow_symlinks=False):
            yield name, entry
        elif depth < MAX_DEPTH and not entry.name.startswith("."):
            yield from _walk(entry.path, f"{name}/", depth + 1)


def _is_wanted(name: str, *, with_drafts: bool) -> bool:
    *folders, file = name.split("/")
    # The export's own folder may stand above these; further down, a block's name may be any of these words.
    top = set(folders[:1] if _BLOCK_FOLDERS.intersection(folders[:1]) else folders[:2])
    if file.startswith("._") or not _IGNORED_FOLDERS.isdisjoint(top) or ("drafts" in top and not with_drafts):
        return False
    file = file.lower()
    if "static" in top:
        return file.endswith(TRANSCRIPT_SUFFIXES)
    # Beside policies, Studio keeps a list of all assets there, which may be large.
    is_policy = "policies" in top and file.endswith(".json") and file not in {"assets.json", "grading_policy.json"}
    return is_policy or file.endswith((".xml", ".html", ".htm"))


def _below_course_xml(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    # A course whose run is called "course" also has course/course.xml: the one nearest to the top is the entrance.
    entrances = sorted((name.count("/"), name) for name in files if PurePosixPath(name).name == "course.xml")
    if not entrances or entrances[0][0] > 1:
        raise ProcessorError(_("The course export holds no course.xml."))
    root = entrances[0][1].removesuffix("course.xml")
    return {name.removeprefix(root): data for name, data in files.items() if name.startswith(root)}
