"""A course as one person sees it, read from the platform no more often than need be."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp.platform.imports import COURSE_OVERVIEW, MODULESTORE, MODULESTORE_ENUM, load

# From the course block down to the units.
_LEVELS_OF_AN_OUTLINE = 3
_ALL_LEVELS = 25


class Tree(ABC):
    """The blocks of a course that one person sees. For one request: nothing in it is ever read again."""

    def __init__(self, course_key: CourseKey, root: UsageKey) -> None:
        self.course_key = course_key
        self.root = root
        self._store = load(MODULESTORE)()
        self._blocks: dict[UsageKey, Any] = {}
        self._present: dict[UsageKey, frozenset[UsageKey]] = {}

    @abstractmethod
    def has(self, usage_key: UsageKey) -> bool:
        """Does this person see it?"""

    @abstractmethod
    def path(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        """From the top of the course down to this block, itself included; empty for what this person doesn't see."""

    @abstractmethod
    def _listed_children(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        """In reading order, those that are listed but gone included."""

    @abstractmethod
    def title(self, usage_key: UsageKey) -> str: ...

    @abstractmethod
    def due(self, usage_key: UsageKey) -> Any:
        """A due date of this person's own, if the platform tells one."""

    @abstractmethod
    def skim(self) -> None:
        """Make ready for a walk down to the units."""

    def children(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        """In reading order. Where they were read, without those that have been deleted since they were listed."""
        present = self._present.get(usage_key)
        return [key for key in self._listed_children(usage_key) if present is None or key in present]

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Everything is read inside: once, and from the version of the course that this person sees."""
        with self._store.bulk_operations(self.course_key):
            yield

    def read(self, usage_key: UsageKey, levels: int = _ALL_LEVELS) -> None:
        """Fetch a block with those below it, in one call.

        Raises:
            ItemNotFoundError: no such block.
        """
        self._remember(self._store.get_item(usage_key, depth=levels), levels)

    def block(self, usage_key: UsageKey) -> Any:
        """The XBlock, not bound to any person.

        Raises:
            ItemNotFoundError: no such block.
        """
        if usage_key not in self._blocks:
            self.read(usage_key, levels=0)
        return self._blocks[usage_key]

    @cached_property
    def overview(self) -> Any:
        return load(COURSE_OVERVIEW).get_from_id(self.course_key)

    def _remember(self, block: Any, levels: int) -> UsageKey:
        # The modulestore's keys may say which branch and version they come from; ours never do.
        usage_key: UsageKey = block.location.map_into_course(self.course_key)
        self._blocks[usage_key] = block
        if levels:
            self._present[usage_key] = frozenset(self._remember(child, levels - 1) for child in block.get_children())
        return usage_key


class LearnerTree(Tree):
    """What the LMS shows a person: the blocks that it worked out for them, read from the published branch.

    Args:
        course_key: the course.
        structure: the platform's ``BlockStructureBlockData`` for this person.
    """

    def __init__(self, course_key: CourseKey, structure: Any) -> None:
        super().__init__(course_key, structure.root_block_usage_key)
        self._structure = structure
        self._here: Sequence[UsageKey] = ()

    def has(self, usage_key: UsageKey) -> bool:
        return usage_key in self._structure

    def path(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        if not self.has(usage_key):
            return ()
        path = [usage_key]
        while path[-1] in self._parents:
            path.append(self._parents[path[-1]])
        self._here = path[::-1]
        return self._here

    def _listed_children(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        # What is kept out of the table of contents is for those who were given the way there.
        return [
            child
            for child in self._structure.get_children(usage_key)
            if child in self._here or not self._structure.get_xblock_field(child, "hide_from_toc", False)
        ]

    def title(self, usage_key: UsageKey) -> str:
        return self._structure.get_xblock_field(usage_key, "display_name", None) or ""

    def due(self, usage_key: UsageKey) -> Any:
        return self._structure.get_xblock_field(usage_key, "due", None)

    def skim(self) -> None:
        """The structure holds it all."""

    @contextmanager
    def reading(self) -> Iterator[None]:
        published = load(MODULESTORE_ENUM).Branch.published_only
        with self._store.branch_setting(published, self.course_key), super().reading():
            yield

    @cached_property
    def _parents(self) -> dict[UsageKey, UsageKey]:
        parents: dict[UsageKey, UsageKey] = {}
        waiting = [self.root]
        while waiting:
            parent = waiting.pop()
            for child in self._structure.get_children(parent):
                if child not in parents:
                    parents[child] = parent
                    waiting.append(child)
        return parents


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

    def due(self, usage_key: UsageKey) -> Any:
        # A course's dates are the same for all its authors.
        return None

    def skim(self) -> None:
        self.read(self.root, levels=_LEVELS_OF_AN_OUTLINE)
