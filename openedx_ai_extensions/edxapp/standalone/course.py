"""A course in memory: immutable, with everything that decides who sees what worked out beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp.interface import CourseInfo
from openedx_ai_extensions.edxapp.standalone.values import moment, plain

SEQUENCES = frozenset({"sequential", "videosequence", "problemset"})
# The first block of any other category, on the way down, is a unit.
ABOVE_UNITS = frozenset({"course", "chapter"}) | SEQUENCES


@dataclass(frozen=True, slots=True, eq=False)
class StoredBlock:
    """A block of an export.

    Attributes:
        hidden: never for learners: it or a block above it is for staff only, for some groups only, an exam, or a draft.
        opens, closes: learners see it between these, the bounds of the blocks above included.
        answers_open: when its show-answer rule opens the answers.
        children: in reading order.
        in_outline: learners find it there; what is left out of the outline is still open to whoever has its address.
    """

    usage_key: UsageKey
    category: str
    display_name: str
    fields: Mapping[str, Any]
    hidden: bool
    opens: datetime
    closes: datetime
    answers_open: datetime
    children: tuple[StoredBlock, ...]
    in_outline: bool = True

    def is_open(self, now: datetime) -> bool:
        """Do learners see it now?"""
        return not self.hidden and self.opens <= now < self.closes


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """A course of an export.

    Attributes:
        root: the course block.
        blocks: every block by its key.
        units: every unit in reading order.
        unit_ranges: the units that a block stands for, as positions in ``units``: those in it, or the one it is in.
        sequences: the sequence that a block is, or is in, if any.
        parents: the block that a block is in; the course is in none.
    """

    info: CourseInfo
    root: StoredBlock
    blocks: Mapping[UsageKey, StoredBlock]
    units: tuple[StoredBlock, ...]
    unit_ranges: Mapping[UsageKey, range]
    sequences: Mapping[UsageKey, UsageKey]
    parents: Mapping[UsageKey, UsageKey]

    def way_to(self, usage_key: UsageKey) -> list[StoredBlock]:
        """From the course down to a block; empty for one that is not there."""
        way = [self.blocks[usage_key]] if usage_key in self.blocks else []
        while way and way[-1].usage_key in self.parents:
            way.append(self.blocks[self.parents[way[-1].usage_key]])
        return way[::-1]


def course_info(course_key: CourseKey, run: str, metadata: Mapping[str, str], files: Mapping[str, bytes]) -> CourseInfo:
    """What the export says of a run: its own pages come before those for all runs."""

    def about(name: str) -> str:
        names = (f"about/{run}/{name}.html", f"about/{name}.html")
        data = next((files[page] for page in names if page in files), b"")
        return data.decode("utf-8-sig", "replace").strip()

    return CourseInfo(
        course_key=course_key,
        title=plain(metadata.get("display_name")),
        short_description=about("short_description"),
        description=about("description"),
        overview=about("overview"),
        syllabus=about("syllabus"),
        language=plain(metadata.get("language")),
        start=_moment_or_none(metadata.get("start")),
        end=_moment_or_none(metadata.get("end")),
    )


def _moment_or_none(value: str | None) -> datetime | None:
    try:
        return moment(value)
    except ValueError:
        return None
