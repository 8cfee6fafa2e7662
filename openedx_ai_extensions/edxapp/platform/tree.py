"""The blocks of a course that one person sees: which they are, reading them with few queries, and converting them to
the blocks of our interface.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from typing import Any

from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp.interface import (
    ABOVE_UNITS,
    PERSONAL_CONTAINERS,
    SEQUENCES,
    Block,
    OutlineNode,
    RetrievalMode,
)
from openedx_ai_extensions.edxapp.platform.imports import EdX
from openedx_ai_extensions.edxapp.safe_parsing import transcript_text

# From the course block down to the units.
_OUTLINE_LEVELS = 3
_ALL_LEVELS = 25


@contextmanager
def reading(course_key: CourseKey, *, drafts: bool) -> Iterator[Any]:
    """The modulestore, with the published version of the course or the authors' own. Blocks are read once inside."""
    store = EdX.modulestore()
    published = EdX.ModuleStoreEnum.Branch.published_only
    with nullcontext() if drafts else store.branch_setting(published, course_key), store.bulk_operations(course_key):
        yield store


class Tree(ABC):
    """The blocks of a course that one person sees. Used for one call only: what was read is never refreshed.

    Attributes:
        location_path: the path of the location that is read, if any.
    """

    shows_drafts = False

    def __init__(self, course_key: CourseKey) -> None:
        self.course_key = course_key
        self._store = EdX.modulestore()
        self.root: UsageKey = self._store.make_course_usage_key(course_key)
        self._blocks: dict[UsageKey, Any] = {}
        self._with_children: set[UsageKey] = set()
        self.location_path: Sequence[UsageKey] = ()

    @abstractmethod
    def has(self, usage_key: UsageKey) -> bool:
        """Does this person see it?"""

    @abstractmethod
    def path(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        """The blocks from the course down to this one, inclusive; empty if this person does not see it."""

    def is_readable(self, usage_key: UsageKey) -> bool:
        """May this person read the content now? ``has`` may be outdated. Raises ItemNotFoundError if it was deleted."""
        return True

    def _is_child_readable(self, usage_key: UsageKey) -> bool:
        """As ``is_readable``, for a block that was read and whose parent is readable."""
        return True

    @abstractmethod
    def _listed_children(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        """In reading order, including listed blocks that no longer exist."""

    @abstractmethod
    def title(self, usage_key: UsageKey) -> str: ...

    def due(self, usage_key: UsageKey) -> datetime | None:
        """The latest due date for this person, of the block and those that contain it; None if it has none."""
        return None

    def prepare_outline(self) -> None:  # noqa: B027  # not all trees have to read something
        """Read what is needed to walk from the course down to the units."""

    def children(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        """In reading order. If they were read, without those that were deleted or closed since they were listed."""
        children = self._listed_children(usage_key)
        if usage_key not in self._with_children:
            return children
        # A child in this tree may be deeper in the course: a split test is replaced by its children.
        return [key for key in children if key in self._blocks and self._is_child_readable(key)]

    def reading(self) -> AbstractContextManager[Any]:
        """See the function ``reading``."""
        return reading(self.course_key, drafts=self.shows_drafts)

    def read(self, usage_key: UsageKey) -> None:
        """Fetch a block with all its descendants in two queries. Raises ItemNotFoundError: there is no such block."""
        self._remember(self._store.get_item(usage_key, depth=None, lazy=False), _ALL_LEVELS)

    def block(self, usage_key: UsageKey) -> Any:
        """The XBlock, not bound to a person. Raises ItemNotFoundError: there is no such block."""
        if usage_key not in self._blocks:
            self._remember(self._store.get_item(usage_key), 0)
        return self._blocks[usage_key]

    @cached_property
    def overview(self) -> Any:
        return EdX.CourseOverview.get_from_id(self.course_key)

    def _remember(self, block: Any, levels: int) -> None:
        # The modulestore's keys may name a branch and a version; ours never do.
        usage_key: UsageKey = block.location.map_into_course(self.course_key)
        self._blocks[usage_key] = block
        if levels:
            self._with_children.add(usage_key)
            for child in block.get_children():
                self._remember(child, levels - 1)


class AuthorTree(Tree):
    """What Studio shows an author: all blocks with drafts; inside ``reading(drafts=False)``, all published ones."""

    shows_drafts = True

    def __init__(self, course_key: CourseKey) -> None:
        super().__init__(course_key)
        self._parents: dict[UsageKey, UsageKey | None] = {}

    def has(self, usage_key: UsageKey) -> bool:
        return self._store.has_item(usage_key)

    def path(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        path = self.ancestors(usage_key)
        return path if path[:1] == [self.root] else ()  # Studio does not show blocks that are cut off from the course

    def ancestors(self, usage_key: UsageKey) -> list[UsageKey]:
        """As ``path``, also for a block that is cut off from the course."""
        path: list[UsageKey] = []
        key: UsageKey | None = usage_key if self.has(usage_key) else None
        while key is not None and len(path) < _ALL_LEVELS:
            path.append(key)
            key = self._parent(key)
        return path[::-1]

    def _parent(self, usage_key: UsageKey) -> UsageKey | None:
        if usage_key not in self._parents:
            parent = None if usage_key == self.root else self._store.get_parent_location(usage_key)
            self._parents[usage_key] = None if parent is None else parent.map_into_course(self.course_key)
        return self._parents[usage_key]

    def _listed_children(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        block = self.block(usage_key)
        return [child.map_into_course(self.course_key) for child in block.children] if block.has_children else []

    def title(self, usage_key: UsageKey) -> str:
        return self.block(usage_key).display_name or ""

    def prepare_outline(self) -> None:
        self._remember(self._store.get_item(self.root, depth=_OUTLINE_LEVELS), _OUTLINE_LEVELS)


def outline(tree: Tree, parent: UsageKey) -> tuple[OutlineNode, ...]:
    """The blocks below one, down to its units."""
    return tuple(
        OutlineNode(
            usage_key=key,
            category=key.block_type,
            display_name=tree.title(key),
            children=outline(tree, key) if key.block_type in ABOVE_UNITS else (),
        )
        for key in tree.children(parent)
    )


def selected_units(tree: Tree, path: Sequence[UsageKey], mode: RetrievalMode) -> Iterator[UsageKey]:
    """The units that a mode selects around a location, in reading order. They are read with their content, in one call.

    Args:
        tree: the course.
        path: the blocks from the course down to the location.
        mode: the mode.
    """
    if mode == RetrievalMode.UP_TO_CURRENT_UNIT:
        chapters = tree.children(tree.root)
        is_in_first = path[1:2] == chapters[:1]
        tree.read(path[1] if path[1:] and is_in_first else tree.root)
        yield from _units_up_to(tree, path)
        return
    top = next((key for key in path if key.block_type not in ABOVE_UNITS), path[-1])
    if mode == RetrievalMode.SEQUENCE:
        top = next((key for key in path if key.block_type in SEQUENCES), top)
    tree.read(top)
    yield from _units(tree, top)


def _units_up_to(tree: Tree, path: Sequence[UsageKey]) -> Iterator[UsageKey]:
    """The units from the start of the course to the last one that contains the location or is in it."""
    here, *below = path
    if here.block_type not in ABOVE_UNITS:
        yield here
        return
    for key in tree.children(here):
        if key in below[:1]:
            yield from _units_up_to(tree, below)
            return
        yield from _units(tree, key)


def _units(tree: Tree, top: UsageKey) -> Iterator[UsageKey]:
    if top.block_type not in ABOVE_UNITS:
        yield top
        return
    for key in tree.children(top):
        yield from _units(tree, key)


def closed_blocks(everything: Tree, tree: Tree, top: UsageKey) -> Iterator[UsageKey]:
    """The outermost blocks, from this one down, that are in the course but not in a person's tree.

    Children of a block that gives each person others are not reported.
    """
    children = everything.children(top)
    if top.block_type in PERSONAL_CONTAINERS:
        children = [child for child in children if tree.has(child)]
    # A learner's tree never contains a split test itself, only the children that it shows this learner.
    if not (children if top.block_type == "split_test" else tree.has(top) and tree.is_readable(top)):
        yield top
        return
    for child in children:
        yield from closed_blocks(everything, tree, child)


class VideoFields(Mapping[str, Any]):
    """A video's fields with its ``transcript``, which is fetched when it is first read: it may be a remote file."""

    def __init__(self, values: Mapping[str, Any], fetch_transcript: Callable[[], str]) -> None:
        self._values = values
        self._fetch_transcript = fetch_transcript

    def __getitem__(self, name: str) -> Any:
        return self._transcript if name == "transcript" else self._values[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._values
        yield "transcript"

    def __len__(self) -> int:
        return len(self._values) + 1

    @cached_property
    def _transcript(self) -> str:
        return self._fetch_transcript()


def _transcript(block: Any, tree: Tree) -> str:
    """The transcript in the course's language, else in English, else the block's default; empty if there is none."""
    video_id = (getattr(block, "edx_video_id", None) or "").strip()
    if video_id:
        for language in dict.fromkeys((tree.overview.language or "en", "en")):
            text = _uploaded_transcript(video_id, language)
            if text:
                return text
    try:
        content, filename, _mimetype = EdX.get_transcript(block, lang=None, output_format="srt")
    except EdX.TranscriptNotFoundErrors:
        return ""
    return transcript_text(filename, _as_bytes(content))


def _uploaded_transcript(video_id: str, language: str) -> str:
    """A transcript that was uploaded with the video, and not with the course."""
    try:
        found = EdX.get_video_transcript_data(video_id, language)
    except EdX.ValError:
        return ""  # the record exists, its file does not
    return transcript_text(found["file_name"], _as_bytes(found["content"])) if found else ""


def _as_bytes(content: bytes | str) -> bytes:
    return content.encode() if isinstance(content, str) else content


def block_view(tree: Tree, usage_key: UsageKey) -> Block:
    """A block with its descendants, as the tree's person sees them."""
    block = tree.block(usage_key)
    fields: Mapping[str, Any] = _field_values(block)
    if usage_key.block_type == "video":
        fields = VideoFields(fields, partial(_transcript, block, tree))
    return Block(
        usage_key=usage_key,
        category=usage_key.block_type,
        display_name=getattr(block, "display_name", None) or "",
        fields=fields,
        answers_visible=_answers_visible(tree, usage_key, block),
        children=tuple(block_view(tree, child) for child in tree.children(usage_key)),
    )


def _field_values(block: Any) -> dict[str, Any]:
    """What the course team wrote, without learners' state and inherited values."""
    scope = EdX.Scope
    return {
        name: field.read_from(block)
        for name, field in block.fields.items()
        if field.scope == scope.content or (field.scope == scope.settings and field.is_set_on(block))
    }


def _answers_visible(tree: Tree, usage_key: UsageKey, block: Any) -> bool:
    """Does the show-answer rule show the answers to everyone? Rules that depend on a person's attempts do not.

    Only a block that is bound to a person could tell, and binding one takes reading that person's state.
    """
    rule, shows_correctness = getattr(block, "showanswer", None), getattr(block, "show_correctness", None) or "always"
    if rule not in {"always", "past_due", "closed"} or shows_correctness not in {"always", "past_due"}:
        return False
    return rule == shows_correctness == "always" or _is_past_due(tree, usage_key, block)


def _is_past_due(tree: Tree, usage_key: UsageKey, block: Any) -> bool:
    dates = [date for date in (getattr(block, "due", None), tree.due(usage_key)) if date]
    grace = getattr(block, "graceperiod", None) or timedelta()
    # In a self-paced course, its dates do not apply.
    return bool(dates) and max(dates) < datetime.now(UTC) - grace and not tree.overview.self_paced
