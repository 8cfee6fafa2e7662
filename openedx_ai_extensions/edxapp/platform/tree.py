"""A course as one person sees it, read from the platform no more often than need be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any

from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.edxapp.platform.imports import (
    COURSE_OVERVIEW,
    HAS_ACCESS,
    MODULESTORE,
    MODULESTORE_ENUM,
    load,
)
from openedx_ai_extensions.edxapp.platform.structure import Structure

# From the course block down to the units.
_LEVELS_OF_AN_OUTLINE = 3
_ALL_LEVELS = 25


class Tree(ABC):
    """The blocks of a course that one person sees. For one call: nothing in it is ever read again.

    Attributes:
        here: the path of the place that the person was given the way to, if any.
    """

    def __init__(self, course_key: CourseKey, root: UsageKey) -> None:
        self.course_key = course_key
        self.root = root
        self._store = load(MODULESTORE)()
        self._blocks: dict[UsageKey, Any] = {}
        self._with_children: set[UsageKey] = set()
        self.here: Sequence[UsageKey] = ()

    @abstractmethod
    def has(self, usage_key: UsageKey) -> bool:
        """Does this person see it?"""

    @abstractmethod
    def path(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        """From the top of the course down to this block, itself included; empty for what this person doesn't see."""

    def is_readable(self, usage_key: UsageKey) -> bool:
        """May this person read what the block says now? What ``has`` knows may be older.

        Raises:
            ItemNotFoundError: no such block any more.
        """
        return True

    def _is_child_readable(self, usage_key: UsageKey) -> bool:
        """As ``is_readable``, for a block that was read and whose parent opens."""
        return True

    @abstractmethod
    def _listed_children(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        """In reading order, those that are listed but gone included."""

    @abstractmethod
    def title(self, usage_key: UsageKey) -> str: ...

    @abstractmethod
    def due(self, usage_key: UsageKey) -> datetime | None:
        """The latest for this person, of the block and of those that it is in, if the platform tells any."""

    @abstractmethod
    def skim(self) -> None:
        """Make ready for a walk down to the units."""

    def children(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        """In reading order. Where they were read, without what has been deleted or closed since they were listed."""
        children = self._listed_children(usage_key)
        if usage_key not in self._with_children:
            return children
        # What is listed here may stand deeper in the course: a split test makes way for its children.
        return [key for key in children if key in self._blocks and self._is_child_readable(key)]

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Everything is read inside: once, and from the version of the course that this person sees."""
        with self._store.bulk_operations(self.course_key):
            yield

    def read(self, usage_key: UsageKey) -> None:
        """Fetch a block with all below it and what they say, in two queries whatever their number.

        Raises:
            ItemNotFoundError: no such block.
        """
        self._remember(self._store.get_item(usage_key, depth=None, lazy=False), _ALL_LEVELS)

    def block(self, usage_key: UsageKey) -> Any:
        """The XBlock, not bound to any person.

        Raises:
            ItemNotFoundError: no such block.
        """
        if usage_key not in self._blocks:
            self._remember(self._store.get_item(usage_key), 0)
        return self._blocks[usage_key]

    @cached_property
    def overview(self) -> Any:
        return load(COURSE_OVERVIEW).get_from_id(self.course_key)

    def _remember(self, block: Any, levels: int) -> None:
        # The modulestore's keys may say which branch and version they come from; ours never do.
        usage_key: UsageKey = block.location.map_into_course(self.course_key)
        self._blocks[usage_key] = block
        if levels:
            self._with_children.add(usage_key)
            for child in block.get_children():
                self._remember(child, levels - 1)


class LearnerTree(Tree):
    """What the LMS shows a person: the blocks that it worked out for them, read from the published branch.

    Args:
        course_key: the course.
        structure: made for this person.
        user: the person.
    """

    def __init__(self, course_key: CourseKey, structure: Structure, user: Person) -> None:
        super().__init__(course_key, structure.root)
        self._structure = structure
        self._user = user

    def has(self, usage_key: UsageKey) -> bool:
        return usage_key in self._structure

    def path(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        return self._structure.path(usage_key)

    def is_readable(self, usage_key: UsageKey) -> bool:
        # The platform makes its structures anew some time after a change, and their filters pass over groups that no
        # longer exist. This asks about the block itself, as the platform's own page does.
        return bool(load(HAS_ACCESS)(self._user, "load", self.block(usage_key), self.course_key))

    def _is_child_readable(self, usage_key: UsageKey) -> bool:
        # To ask takes milliseconds, and there may be a thousand blocks: only those that say something of their own.
        block = self._blocks[usage_key]
        narrows = block.group_access or block.visible_to_staff_only or block.fields["start"].is_set_on(block)
        return not narrows or self.is_readable(usage_key)

    def _listed_children(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        children = self._structure.children(usage_key)
        if self._structure.field(usage_key, "hide_from_toc"):
            return children  # they inherit it
        # What is kept out of the table of contents is for those who were given the way there.
        return [child for child in children if child in self.here or not self._structure.field(child, "hide_from_toc")]

    def title(self, usage_key: UsageKey) -> str:
        return self._structure.own_field(usage_key, "display_name") or ""

    def due(self, usage_key: UsageKey) -> datetime | None:
        # More time is given for a whole section, and blocks in it keep dates of their own.
        dates = (self._structure.own_field(key, "due") for key in self._structure.path(usage_key))
        return max((date for date in dates if date), default=None)

    def skim(self) -> None:
        """The structure holds it all."""

    @contextmanager
    def reading(self) -> Iterator[None]:
        published = load(MODULESTORE_ENUM).Branch.published_only
        with self._store.branch_setting(published, self.course_key), super().reading():
            yield


class AuthorTree(Tree):
    """What Studio shows an author: everything, as it is being written."""

    def has(self, usage_key: UsageKey) -> bool:
        return self._store.has_item(usage_key)

    def path(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        if not self.has(usage_key):
            return ()
        path = [usage_key]
        while path[-1] != self.root and len(path) < _ALL_LEVELS:
            parent = self._store.get_parent_location(path[-1])
            if parent is None:
                return ()  # cut off from the course: Studio shows it nowhere
            path.append(parent.map_into_course(self.course_key))
        return path[::-1]

    def _listed_children(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        block = self.block(usage_key)
        return [child.map_into_course(self.course_key) for child in block.children] if block.has_children else []

    def title(self, usage_key: UsageKey) -> str:
        return self.block(usage_key).display_name or ""

    def due(self, usage_key: UsageKey) -> datetime | None:
        # A course's dates are the same for all its authors: its blocks hold them.
        return None

    def skim(self) -> None:
        self._remember(self._store.get_item(self.root, depth=_LEVELS_OF_AN_OUTLINE), _LEVELS_OF_AN_OUTLINE)
