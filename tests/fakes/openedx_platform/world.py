"""What the fake platform holds and counts."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.openedx_platform.blocks import make_block
from tests.fakes.openedx_platform.olx import read_olx


class _Runtime:
    """What real blocks find their fields and their children through."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.field_data: dict[Any, Any] = {}

    def service(self, block, service_name):
        assert service_name == "field-data"
        return self.field_data[block.scope_ids.def_id]

    def get_block(self, usage_id, for_parent=None):
        if usage_id not in self._world.fetched:
            self._world.calls["unforeseen"] += 1
        return self._world.find(usage_id)


@dataclass
class Library:
    editors: set[str]
    blocks: dict[Any, str] = field(default_factory=dict)
    published: dict[Any, str] = field(default_factory=dict)
    collections: dict[str, tuple[str, list]] = field(default_factory=dict)
    deleted: set[Any] = field(default_factory=set)
    authors: dict[Any, list[int | None]] = field(default_factory=dict)
    types: frozenset[str] = frozenset({"problem", "html"})
    types_with_children: frozenset[str] = frozenset({"vertical"})
    limit: int = 100
    refuses: type[Exception] | None = None


class World:
    """One platform.

    Attributes:
        published, drafts: blocks by key; a draft is what authors see instead of the published one.
        collected: what the block structures still hold, where they lag behind the modulestore: blocks and children.
        enrolled, staff, readers: pairs of a username and a course key; staff are authors too.
        closed_courses: what keeps a person out of a whole course, by username: how ``get_course_with_access`` ends.
        groups: the groups that people are in, by username.
        gone_groups: those that were deleted, which only the structures still know.
        prerequisites: what a person has not yet earned, as pairs of a username and a key.
        not_paid: usernames of those who see no graded problems until they pay.
        states: what the platform keeps of people's blocks, by username and key.
        arms: the children of split tests that people get, as pairs of a username and a key.
        own_dates: due dates of one person's own, by username and key.
        dates_are_text: the structures give those as text.
        is_newer: of 2026: structures resolve problem banks, and only flag what is hidden after its due date.
        attempts: exams that people sit now: a user's id and the exam's key.
        exams_service_courses: keys of courses whose exams are in the separate service.
        val: transcripts by video id and language: file name and content.
        calls: how often each function of the platform was called.
    """

    def __init__(self) -> None:
        self.runtime = _Runtime(self)
        self.published: dict[Any, Any] = {}
        self.drafts: dict[Any, Any] = {}
        self.collected: dict[Any, Any] | None = None
        self.enrolled: set[tuple[str, Any]] = set()
        self.staff: set[tuple[str, Any]] = set()
        self.readers: set[tuple[str, Any]] = set()
        self.closed_courses: dict[str, type[Exception]] = {}
        self.groups: dict[str, set[int]] = {}
        self.gone_groups: set[int] = set()
        self.prerequisites: set[tuple[str, Any]] = set()
        self.not_paid: set[str] = set()
        self.states: dict[tuple[str, Any], dict[str, Any]] = {}
        self.arms: set[tuple[str, Any]] = set()
        self.dates_are_text = False
        self.is_newer = False
        self.own_dates: dict[tuple[str, Any], Any] = {}
        self.attempts: set[tuple[int, Any]] = set()
        self.exams_service_courses: set[Any] = set()
        self.val: dict[tuple[str, str], Any] = {}
        self.libraries: dict[Any, Library] = {}
        self.folder = Path()
        self.calls: Counter[str] = Counter()
        self.fetched: set[Any] = set()
        self.branches: list[str] = []

    def add_course(self, folder: Path):
        self.folder = folder
        return read_olx(self, folder)

    def add(self, parent, name: str, *, data: str | None = None, **values: str):
        """A published block, such as ``html/one``, at the end of another; its key."""
        usage_key = parent.course_key.make_usage_key(*name.split("/"))
        above = self.published[parent]
        self.published[usage_key] = make_block(self.runtime, usage_key, values, data=data, parent=above)
        above.children.append(usage_key)
        return usage_key

    def draft(self, usage_key, **values: str):
        """A draft, new or of a published block."""
        published = self.published.get(usage_key)
        data = values.pop("data", getattr(published, "data", None))
        block = make_block(self.runtime, usage_key, values, data=data)
        if block.has_children:
            block.children = list(getattr(published, "children", ()))
        self.drafts[usage_key] = block
        return block

    def tree(self) -> dict[Any, tuple[Any, list]]:
        """The published blocks with their children."""
        return {
            key: (block, list(block.children) if block.has_children else []) for key, block in self.published.items()
        }

    def is_staff(self, user, course_key) -> bool:
        return bool(user.is_staff or (user.get_username(), course_key) in self.staff)

    def find(self, usage_key):
        """Raises KeyError: not in the branch that is being read."""
        if self.branches[-1:] != ["published-only"] and usage_key in self.drafts:
            return self.drafts[usage_key]
        return self.published[usage_key]

    def block(self, usage_key):
        """A published block, also one that only the structures still hold."""
        return self.published[usage_key] if self.collected is None else self.collected[usage_key][0]

    def parent(self, usage_key):
        for blocks in (self.drafts, self.published):
            for key, block in blocks.items():
                if block.has_children and usage_key in block.children:
                    return key
        return None

    @contextmanager
    def branch(self, name: str):
        self.branches.append(name)
        yield
        self.branches.pop()

    def fetch(self, usage_key, depth: int | None) -> int:
        """All levels where depth is None. Returns how many blocks there were."""
        self.fetched.add(usage_key)
        block = self.find(usage_key)
        children = block.children if depth != 0 and block.has_children else ()
        return 1 + sum(self.fetch(child, None if depth is None else depth - 1) for child in children)


current = World()
