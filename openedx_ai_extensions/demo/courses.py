"""The course that the demo serves: its own, or an export that the person at the machine names."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import OutlineNode, Person
from openedx_ai_extensions.edxapp.standalone.export import read_export
from openedx_ai_extensions.edxapp.standalone.olx import read_course


@cache
def course_key() -> CourseKey:
    """The key of the first course in ``AI_EXTENSIONS_STANDALONE``.

    Raises:
        ProcessorError: its export cannot be read.
    """
    path = Path(conf.get("AI_EXTENSIONS_STANDALONE.COURSES")[0]["path"])
    return read_course(read_export(path)).info.course_key


def chapters(user: Person) -> Sequence[OutlineNode]:
    """The course's chapters as this person sees them, without empty ones; none without access."""
    if not get_platform().can_see_course(user, course_key()):
        return []
    return [chapter for chapter in get_platform().course_outline(user, course_key()) if units([chapter])]


def units(nodes: Sequence[OutlineNode]) -> list[OutlineNode]:
    """The units of these chapters."""
    return [unit for chapter in nodes for sequence in chapter.children for unit in sequence.children]
