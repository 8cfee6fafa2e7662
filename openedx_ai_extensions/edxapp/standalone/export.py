"""The files of a course export: read into memory from a directory or a tar archive, and found by name.

The author of an export is not trusted: nothing is unpacked to disk, a link only leads to another name in the export,
and sizes and counts are limited. The parser sees only a mapping of names, so no reference leads out of the export.
"""

from __future__ import annotations

import itertools
import logging
import os
import posixpath
import stat
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from django.utils.translation import gettext as _

from openedx_ai_extensions.edxapp.standalone.tarball import read_tar
from openedx_ai_extensions.exceptions import ProcessorError

logger = logging.getLogger(__name__)

Fingerprint = tuple[tuple[str, int, int], ...]

MAX_FILE_BYTES = 8 * 1024**2
MAX_TEXT_BYTES = 128 * 1024**2
MAX_TRANSCRIPTS_BYTES = 64 * 1024**2
MAX_FILES = 100_000
MAX_DEPTH = 20
_MAX_LINK_HOPS = 8
# All that blocks read may be this much, and this many times the size of the export: files may be used more than once.
_FREE_READ_BYTES = 16 * 1024**2
_MAX_READS = 3
# Subtitles take longer to convert than anything else: enough for 250 hours of video.
MAX_READ_TRANSCRIPT_BYTES = 16 * 1024**2

_PAGE_SUFFIXES = (".html", ".htm")
TRANSCRIPT_SUFFIXES = (".srt", ".sjson")
# Pages that are not in the course tree, and what editors and systems leave behind.
_IGNORED_FOLDERS = frozenset({"tabs", "info", "assets", "__MACOSX"})
# Folders of blocks may have subfolders of any name. Without "course": exports often have a top folder of that name.
_BLOCK_FOLDERS = frozenset({"html", "problem", "video", "chapter", "sequential", "vertical"})


@dataclass(slots=True)
class _Collected:
    """Wanted files and links by name, within limits.

    Attributes:
        with_drafts: drafts are wanted too.
        omitted_transcripts: the number of transcripts that exceed the limits.
    """

    with_drafts: bool
    files: dict[str, bytes] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    text_size: int = 0
    transcript_size: int = 0
    omitted_transcripts: int = 0

    def wants(self, name: str, size: int) -> bool:
        """Should it be read? Counts it if so. Raises ProcessorError: it is too large, or there are too many."""
        if not _is_wanted(name, with_drafts=self.with_drafts):
            return False
        if name.lower().endswith(TRANSCRIPT_SUFFIXES):
            return self._wants_transcript(size)
        self.text_size += size
        if size > MAX_FILE_BYTES or self.text_size > MAX_TEXT_BYTES or len(self.files) + len(self.links) >= MAX_FILES:
            raise ProcessorError(_("The course export is too large to be read."))
        return True

    def _wants_transcript(self, size: int) -> bool:
        # A course is usable without its transcripts.
        has_room = size <= MAX_FILE_BYTES and self.transcript_size + size <= MAX_TRANSCRIPTS_BYTES
        if has_room and len(self.files) + len(self.links) < MAX_FILES:
            self.transcript_size += size
            return True
        self.omitted_transcripts += 1
        return False

    def by_all_names(self) -> dict[str, bytes]:
        """Files by name, and by the names of links to them."""
        files = dict(self.files)
        for name in self.links:
            target = name
            for _hop in range(_MAX_LINK_HOPS):
                target = self.links.get(target, target)
            if target in self.files:
                files[name] = self.files[target]
        return files


def read_export(path: Path, *, with_drafts: bool = False) -> ExportFiles:
    """The course's texts by their name relative to the folder of ``course.xml``.

    Args:
        path: a directory, or a tar archive, plain or gzip.
        with_drafts: include drafts, in ``drafts/``.

    Raises:
        ProcessorError: the export is missing, unreadable, hostile or too large, or has no ``course.xml``.
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
    if collected.omitted_transcripts:
        logger.warning("standalone.export.transcripts_left_out path=%s count=%d", path, collected.omitted_transcripts)
    files = collected.by_all_names()
    broken_links = len(collected.files.keys() | collected.links.keys()) - len(files)
    if broken_links:
        logger.warning("standalone.export.links_left_out path=%s count=%d", path, broken_links)
    return ExportFiles(_below_course_xml(files))


def fingerprint(path: Path, *, with_drafts: bool = False) -> Fingerprint:
    """Changes when the export does: name, time and size of each file that is read. Empty if there is no export."""
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
    """The beginning of a regular file, up to one byte more than allowed: enough to find that it is too large."""
    # The file may have been replaced since it was listed: a link is not followed, and a pipe is not waited for.
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:  # noqa: PTH123
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise FileNotFoundError(path)
        return stream.read(MAX_FILE_BYTES + 1)


def _walk(folder: str | Path, below: str = "", depth: int = 0) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The files below a directory by their names relative to it. Links to folders are not followed."""
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
    # These folders are at the top, or inside the export's own folder; further down, they are names of blocks.
    top = set(folders[:1] if _BLOCK_FOLDERS.intersection(folders[:1]) else folders[:2])
    if file.startswith("._") or not _IGNORED_FOLDERS.isdisjoint(top) or ("drafts" in top and not with_drafts):
        return False
    file = file.lower()
    if "static" in top:
        return file.endswith(TRANSCRIPT_SUFFIXES)
    # Studio stores a list of all assets next to the policies, which may be large.
    is_policy = "policies" in top and file.endswith(".json") and file not in {"assets.json", "grading_policy.json"}
    return is_policy or file.endswith((".xml", ".html", ".htm"))


def _below_course_xml(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    # A course whose run is called "course" also has course/course.xml: the one nearest to the top counts.
    candidates = sorted((name.count("/"), name) for name in files if PurePosixPath(name).name == "course.xml")
    if not candidates or candidates[0][0] > 1:
        raise ProcessorError(_("The course export contains no course.xml."))
    root = candidates[0][1].removesuffix("course.xml")
    return {name.removeprefix(root): data for name, data in files.items() if name.startswith(root)}


class ExportFiles(Mapping[str, bytes]):
    """File contents by name relative to the folder of ``course.xml``.

    A name is found in any Unicode normal form and with or without URL escapes; also in other capitals if that matches
    one file only. Reading is limited, so that the size of all blocks stays in proportion to the export.

    Reading raises:
        KeyError: there is no such file, or too many transcripts were read.
        ProcessorError: too much was read.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._names = {plain_name(name): name for name in files}
        self._folded: dict[str, list[str]] = {}
        for plain, name in self._names.items():
            self._folded.setdefault(plain.casefold(), []).append(name)
        self._bytes_left = _FREE_READ_BYTES + _MAX_READS * sum(map(len, files.values()))
        self._transcript_bytes_left = MAX_READ_TRANSCRIPT_BYTES

    def __getitem__(self, name: str) -> bytes:
        found = self._find(name)
        if found is None:
            raise KeyError(name)
        data = self._files[found]
        if name.lower().endswith(TRANSCRIPT_SUFFIXES):
            self._transcript_bytes_left -= len(data)
            if self._transcript_bytes_left < 0:
                logger.warning("standalone.transcript.left_out name=%.120r", name)
                raise KeyError(name)
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            raise ProcessorError(_("The course export cannot be read: its parts repeat themselves too often."))
        return data

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._find(name) is not None

    def _find(self, name: str) -> str | None:
        """The name of a file in the export."""
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
    """A name as people read it, without the spelling of a file system or an address."""
    return unicodedata.normalize("NFC", unquote(name))


def definition_names(category: str, url_name: str) -> Iterator[str]:
    """The possible files of the definition of a block that a pointer names."""
    path = _within(category, url_name.replace(":", "/"))
    if path:
        yield f"{path}.xml"
        if path.lower().endswith(".xml"):
            yield path


def old_definition_names(category: str, filename: str) -> Iterator[str]:
    """The possible files of a block's content in the oldest exports, which name it in an attribute of the block."""
    for folder in (category, f"{category}s"):
        path = _within(folder, filename)
        if path.lower().endswith(".xml"):
            yield path
        if path:
            yield f"{path}.xml"


def page_names(filename: str, block_id: str) -> Iterator[str]:
    """The possible files of the HTML of a page.

    The platform looks in the folder of the block's definition, which is a subfolder if the block's name has colons.
    Authors also write names relative to ``html`` or to the top, with or without the extension.
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
    """The name of a static file, which authors write with or without its folder."""
    return _within("static", name.removeprefix("/").removeprefix("static/"))


def _within(folder: str, name: str) -> str:
    """The normalised path below the folder; empty if the name leads out of it, or is empty."""
    path = posixpath.normpath(name.replace("\\", "/").lstrip("/"))
    return "" if path.split("/")[0] in {"", ".", ".."} else posixpath.join(folder, path)
