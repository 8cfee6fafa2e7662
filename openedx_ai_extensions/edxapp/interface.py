"""What this app asks of the platform that it runs in: who may see what, and the content.

A backend answers for one platform; the rest of the app does not know which. All answers are one person's view now:
content that is hidden from that person is absent.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from opaque_keys.edx.keys import CourseKey, UsageKey
from opaque_keys.edx.locator import LibraryLocatorV2, LibraryUsageLocatorV2

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser, User


class RetrievalMode(enum.StrEnum):
    """How much content around a location is read, in the words of templates."""

    UNIT = "unit"
    SEQUENCE = "sequence"
    UP_TO_CURRENT_UNIT = "up_to_current_unit"


SEQUENCES = frozenset({"sequential", "videosequence", "problemset"})
# The first block of another category, from the course downwards, is a unit.
ABOVE_UNITS = frozenset({"course", "chapter"}) | SEQUENCES
# The fields of a sequence that make it a timed or proctored exam, also for practice.
EXAM_FIELDS = (
    "is_time_limited", "is_proctored_enabled", "is_proctored_exam", "is_practice_exam", "is_onboarding_exam"
)  # fmt: skip
# Blocks of these categories show each person some of their children.
PERSONAL_CONTAINERS = frozenset(
    {"library_content", "legacy_library_content", "itembank", "split_test", "randomize", "conditional"}
)

# The user of a request.
Person: TypeAlias = "User | AnonymousUser"


@dataclass(frozen=True, slots=True)
class CourseInfo:
    """The description of a course. Texts may contain HTML; absent ones are empty."""

    course_key: CourseKey
    title: str
    short_description: str = ""
    description: str = ""
    overview: str = ""
    syllabus: str = ""
    language: str = ""
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A block as one person sees it.

    Attributes:
        category: its type: ``html``, ``problem``, ``video``, ``vertical``…
        display_name: its title; empty if it has none.
        fields: its raw field values by name (``data`` for html and problem); a video's ``transcript`` is plain text,
            which may have ``times``: see ``safe_parsing.Transcript``.
        answers_visible: the block's show-answer rule shows this person the answers.
        children: in reading order.
    """

    usage_key: UsageKey
    category: str
    display_name: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    answers_visible: bool = False
    children: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class OutlineNode:
    """A chapter, sequence or unit of the outline."""

    usage_key: UsageKey
    category: str
    display_name: str
    children: tuple[OutlineNode, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """A block on the path from a course down to a place in it.

    Attributes:
        is_exam: it is a timed or proctored sequence, also for practice.
        format: a sequence's assignment type, such as ``Final Exam``; empty if it has none.
    """

    usage_key: UsageKey
    is_exam: bool = False
    format: str = ""


class Platform(Protocol):
    """The platform that this app runs in. One instance serves all threads of a process."""

    def can_see_course(self, user: Person, course_key: CourseKey) -> bool:
        """May this person see this course now? False for an unknown course."""

    def can_see_block(self, user: Person, usage_key: UsageKey) -> bool:
        """May this person see this block now? False for an unknown block."""

    def is_course_staff(self, user: Person, course_key: CourseKey) -> bool:
        """Is this person staff (LMS) or an author (Studio) of this course?"""

    def course_info(self, course_key: CourseKey) -> CourseInfo:
        """The description of a course.

        Raises:
            ProcessorError: there is no such course.
        """

    def course_language(self, course_key: CourseKey) -> str:
        """The code of the language that a course declares, read faster than its description; empty if it declares none,
        or there is no such course.
        """

    def course_outline(self, user: Person, course_key: CourseKey) -> Sequence[OutlineNode]:
        """The chapters that this person sees, with their sequences and units.

        Raises:
            ProcessorError: there is no such course.
        """

    def content(self, user: Person, usage_key: UsageKey, mode: RetrievalMode) -> Sequence[Block]:
        """The units that ``mode`` selects around a location, in reading order, with all their blocks.

        A location inside a unit selects its unit; a sequence or chapter selects the units in it. In mode
        ``UP_TO_CURRENT_UNIT`` the last unit is the current one.

        Raises:
            ProcessorError: there is no such location, or this person may not see it.
        """

    def closed_blocks(self, user: Person, usage_key: UsageKey, mode: RetrievalMode) -> Sequence[UsageKey]:
        """What ``content`` hides from this person: the units, and the outermost blocks in units. For course staff only.

        Raises:
            ProcessorError: as ``content`` does.
        """

    def ways_to(self, usage_keys: Collection[UsageKey]) -> Mapping[UsageKey, Sequence[Step]]:
        """The path from the course down to each place, inclusive, even if no person may see it.

        Args:
            usage_keys: places in one course. Those that do not exist are omitted from the result.
        """

    def is_in_exam(self, user: Person) -> bool:
        """Has this person started a timed or proctored exam, in any course, and not submitted it?"""

    def block_link(self, usage_key: UsageKey) -> str:
        """The address at which a learner reads this block in a browser."""

    def require_library_editor(self, user: Person, library_key: LibraryLocatorV2) -> None:
        """Must be called before the methods below, which do not check permissions.

        Raises:
            NotAllowed: this person may not edit this library, or it does not exist (the same message).
        """

    def create_library_block(
        self, user: Person, library_key: LibraryLocatorV2, block_type: str, block_id: str, olx: str
    ) -> LibraryUsageLocatorV2:
        """Create a block with this OLX, completely or not at all.

        Raises:
            ProcessorError: the library does not accept it; the message is for the author.
        """

    def delete_library_block(self, user: Person, usage_key: LibraryUsageLocatorV2) -> None:
        """Delete a block from its library.

        Raises:
            ProcessorError: there is no such block.
        """

    def publish_library(self, user: Person, library_key: LibraryLocatorV2) -> None:
        """Publish all changes in the library.

        Raises:
            ProcessorError: it cannot be published.
        """

    def save_in_collection(
        self,
        user: Person,
        library_key: LibraryLocatorV2,
        usage_keys: Sequence[LibraryUsageLocatorV2],
        *,
        key: str | None,
        title: str,
    ) -> str:
        """Add blocks to the collection with this key, or without a key to a new one with this title.

        Returns:
            The collection's key.

        Raises:
            InvalidRequest: there is no such collection.
            ProcessorError: it cannot be written.
        """
