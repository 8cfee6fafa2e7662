"""The course that the demo serves: its own, or an export that the person at the machine names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path, PurePosixPath

from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import OutlineNode, Person
from openedx_ai_extensions.edxapp.standalone.export import read_export
from openedx_ai_extensions.edxapp.standalone.olx import read_course
from openedx_ai_extensions.edxapp.standalone.tarball import read_tar

_PICTURE_SUFFIXES = frozenset({".avif", ".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp"})
_MAX_PICTURES_BYTES = 256 * 1024**2


@cache
def course_key() -> CourseKey:
    """The key of the first course in ``AI_EXTENSIONS_STANDALONE``.

    Raises:
        ProcessorError: its export cannot be read.
    """
    path = Path(conf.get("AI_EXTENSIONS_STANDALONE.COURSES")[0]["path"])
    return read_course(read_export(path)).info.course_key


def unpack_pictures(archive: Path, folder: Path) -> None:
    """Write the pictures of a course, up to 256 MB, into a folder. Without an archive, nothing is written.

    Raises:
        ProcessorError: the archive cannot be read.
    """
    total = 0

    def wants(name: str, size: int) -> bool:
        nonlocal total
        path = PurePosixPath(name)
        if "static" not in path.parts[:2] or path.suffix.lower() not in _PICTURE_SUFFIXES:
            return False
        total += size
        return total <= _MAX_PICTURES_BYTES

    if archive.is_file():
        for picture in read_tar(archive, wants=wants):
            if not picture.target:
                # Pages name them as Studio does: without folders and spaces.
                name = PurePosixPath(picture.name).name.replace(" ", "_")
                (folder / name).write_bytes(picture.data)


def chapters(user: Person) -> Sequence[OutlineNode]:
    """The course's chapters as this person sees them, without empty ones; none without access."""
    if not get_platform().can_see_course(user, course_key()):
        return []
    return [chapter for chapter in get_platform().course_outline(user, course_key()) if units([chapter])]


def units(nodes: Sequence[OutlineNode]) -> list[OutlineNode]:
    """The units of these chapters."""
    return [unit for chapter in nodes for sequence in chapter.children for unit in sequence.children]
