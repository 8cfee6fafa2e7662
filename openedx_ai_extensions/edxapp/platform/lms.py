"""Who may see what in the LMS: to whom a course is open, and what the platform's course blocks contain for them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import Any, TypeVar, cast

from django.http import Http404
from edx_django_utils.cache import RequestCache
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.edxapp.platform.imports import EdX
from openedx_ai_extensions.edxapp.platform.tree import Tree, reading

# Answers are kept for one request. A stream or a background run may last longer than its request: it asks again.
_KEPT_SECONDS = 10.0

_BANK = "itembank"
# Each person gets some of their children, and not every release's structure tells which.
_PERSONAL = frozenset({_BANK, "randomize", "conditional", "split_test"})
# Newer releases keep blocks that are hidden after their due date, and mark them.
_HIDDEN = "is_hidden_after_due"
# Transformers that set dates and titles of one person, and remove nothing.
_OVERRIDES = frozenset({"load_date_data", "load_override_data"})

Answer = TypeVar("Answer")


class Lms:
    """Answers for the LMS, about people who are signed in and active."""

    def is_course_staff(self, user: Person, course_key: CourseKey) -> bool:
        return bool(EdX.has_access(user, "staff", course_key))

    def has_course(self, course_key: CourseKey) -> bool:
        with reading(course_key, drafts=False) as store:
            return bool(store.has_item(store.make_course_usage_key(course_key)))

    def can_see_course(self, user: Person, course_key: CourseKey) -> bool:
        """Is the course open to this person? Only if the platform's own pages are open to them too."""
        return _once("open", user, course_key, partial(self._is_open, user, course_key))

    def can_see_block(self, user: Person, usage_key: UsageKey) -> bool:
        """Raises ItemNotFoundError: there is no such course, or the block no longer exists."""
        # Inside, the course is fetched only once, also by the platform's functions.
        with reading(usage_key.course_key, drafts=False):
            tree = self.tree(user, usage_key.course_key)
            return tree is not None and tree.has(usage_key) and tree.is_readable(usage_key)

    def tree(self, user: Person, course_key: CourseKey) -> LearnerTree | None:
        """The course as this person sees it; None if it is closed. Raises ItemNotFoundError: there is no course."""
        if not self.can_see_course(user, course_key):
            return None
        return LearnerTree(course_key, _once("structure", user, course_key, partial(Structure, user, course_key)), user)

    def _is_open(self, user: Person, course_key: CourseKey) -> bool:
        if not (_is_enrolled(user, course_key) or self.is_course_staff(user, course_key)):
            return False
        try:
            # Without the check of enrolment, which takes three more queries to find out whether the course is public.
            EdX.get_course_with_access(user, "load", course_key)
        except (Http404, EdX.CourseAccessRedirect):
            return False
        return True


def _is_enrolled(user: Person, course_key: CourseKey) -> bool:
    """In one query, which also fills the caches of the platform's functions that are called next."""
    enrolments = EdX.CourseEnrollment
    enrolment = enrolments.get_enrollment(user, course_key, ["fbeenrollmentexclusion"])
    if enrolment is None:
        return False
    state = EdX.CourseEnrollmentState(enrolment.mode, enrolment.is_active)
    RequestCache(enrolments.MODE_CACHE_NAMESPACE).set((user.pk, course_key), state)
    return bool(enrolment.is_active)


def _once(question: str, user: Person, course_key: CourseKey, ask: Callable[[], Answer]) -> Answer:
    """The answer that this request got before, if it is recent."""
    cache = RequestCache(__name__)
    about = (user.pk, user.get_username(), course_key)
    known = cache.get_cached_response(question)
    if known.is_found:
        last_about, until, answer = known.value
        if last_about == about and time.monotonic() < until:
            return cast("Answer", answer)
    answer = ask()
    # One answer per question: where no middleware clears the cache, it does not grow.
    cache.set(question, (about, time.monotonic() + _KEPT_SECONDS, answer))
    return answer


class LearnerTree(Tree):
    """What the LMS shows a person: the blocks of their structure, read from the published branch."""

    def __init__(self, course_key: CourseKey, structure: Structure, user: Person) -> None:
        super().__init__(course_key)
        self._structure = structure
        self._user = user

    def has(self, usage_key: UsageKey) -> bool:
        return usage_key in self._structure

    def path(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        return self._structure.path(usage_key)

    def is_readable(self, usage_key: UsageKey) -> bool:
        # The platform rebuilds its structures some time after a change, and their filters ignore groups that no longer
        # exist. This checks the block itself, as the platform's own page does.
        return bool(EdX.has_access(self._user, "load", self.block(usage_key), self.course_key))

    def _is_child_readable(self, usage_key: UsageKey) -> bool:
        # A check takes milliseconds, and there may be a thousand blocks: only those with restrictions of their own.
        block = self._blocks[usage_key]
        is_restricted = block.group_access or block.visible_to_staff_only or block.fields["start"].is_set_on(block)
        return not is_restricted or self.is_readable(usage_key)

    def _listed_children(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        children = self._structure.children(usage_key)
        if self._structure.field(usage_key, "hide_from_toc"):
            return children  # they inherit it
        # Blocks that the table of contents omits are for people who were given a link to them.
        return [
            child
            for child in children
            if child in self.location_path or not self._structure.field(child, "hide_from_toc")
        ]

    def title(self, usage_key: UsageKey) -> str:
        return self._structure.personal_field(usage_key, "display_name") or ""

    def due(self, usage_key: UsageKey) -> datetime | None:
        # An extension is given for a whole section, and the blocks in it keep dates of their own.
        dates = (self._structure.personal_field(key, "due") for key in self._structure.path(usage_key))
        return max((date for date in dates if date), default=None)


class Structure:
    """The blocks of a course that one person may see now, if the course is open to them. Staff see those for staff.

    Raises ItemNotFoundError: there is no such course.
    """

    def __init__(self, user: Person, course_key: CourseKey) -> None:
        self.root: UsageKey = EdX.modulestore().make_course_usage_key(course_key)
        self._user = user
        self._course_key = course_key
        self._hiding_transformer = EdX.HiddenContentTransformer
        first, self._later = _transformers(user, course_key)
        self._blocks = EdX.get_course_blocks(user, self.root, first)
        self._usage_info = first.usage_info
        if self._may_hide():
            transformers = EdX.BlockStructureTransformers([self._hiding_transformer()], self._usage_info)
            transformers.transform(self._with_personal_fields)

    def __contains__(self, usage_key: UsageKey) -> bool:
        return usage_key in self._parents or (usage_key == self.root and self.root in self._blocks)

    def children(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        """In reading order; this person's own where each person gets others."""
        children: Sequence[UsageKey] = self._blocks.get_children(usage_key)
        if usage_key.block_type in _PERSONAL:
            children = self._selected(usage_key, children)
        return [child for child in children if not self._is_hidden(child)]

    def path(self, usage_key: UsageKey) -> Sequence[UsageKey]:
        """The blocks from the course down to this one, inclusive; empty if it is not in the structure."""
        if usage_key not in self:
            return ()
        path = [usage_key]
        while path[-1] in self._parents:
            path.append(self._parents[path[-1]])
        return path[::-1]

    def field(self, usage_key: UsageKey, name: str) -> Any:
        """A field's value; None if the structure does not contain it."""
        return self._blocks.get_xblock_field(usage_key, name, None)

    def personal_field(self, usage_key: UsageKey, name: str) -> Any:
        """As ``field``, with the dates and titles that were set for this person."""
        return self._with_personal_fields.get_xblock_field(usage_key, name, None)

    @cached_property
    def _with_personal_fields(self) -> Any:
        """The same blocks. Loaded lazily, because it takes queries and few courses hide anything by date."""
        self._later.usage_info = self._usage_info
        self._later.transform(self._blocks)
        _extend_dates(self._blocks, self.root, None)
        return self._blocks

    def _may_hide(self) -> bool:
        """Is any block hidden after its due date?"""
        hiding = self._hiding_transformer
        name = getattr(hiding, "MERGED_HIDE_AFTER_DUE", None)
        fields = (self._blocks.get_transformer_block_field(key, hiding, name, False) for key in self._blocks)
        return name is None or any(fields)

    def _is_hidden(self, usage_key: UsageKey) -> bool:
        flag = self._blocks.get_transformer_block_field(usage_key, self._hiding_transformer, _HIDDEN, False)
        return bool(flag or self.field(usage_key, _HIDDEN))

    def _selected(self, usage_key: UsageKey, children: Sequence[UsageKey]) -> Sequence[UsageKey]:
        """This person's own children; none if it is unknown which these are."""
        selected = self._selections.get(usage_key, ())
        own = [child for child in children if (child.block_type, child.block_id) in selected]
        maximum = self.field(usage_key, "max_count")
        # If too many are selected, the platform selects again at the next visit.
        return own if maximum is None or maximum < 0 or len(own) <= maximum else ()

    @cached_property
    def _parents(self) -> dict[UsageKey, UsageKey]:
        parents: dict[UsageKey, UsageKey] = {}
        waiting = [self.root]
        while waiting:
            parent = waiting.pop()
            for child in self.children(parent):
                if child not in parents:
                    parents[child] = parent
                    waiting.append(child)
        return parents

    @cached_property
    def _selections(self) -> Mapping[UsageKey, Collection[tuple[str, str]]]:
        """What was selected for this person from each problem bank that they have visited."""
        banks = [key for key in self._blocks if key.block_type == _BANK]
        if not banks:
            return {}
        states = EdX.StudentModule.objects.filter(
            student=self._user, course_id=self._course_key, module_state_key__in=banks
        )
        return {
            key.map_into_course(self._course_key): set(map(tuple, json.loads(state or "{}").get("selected", ())))
            for key, state in states.values_list("module_state_key", "state")
        }


def _transformers(user: Person, course_key: CourseKey) -> tuple[Any, Any]:
    """Those that decide what this person sees, and those that can wait until a field of this person is read."""
    first: list[Any] = []
    later: list[Any] = []
    for transformer in EdX.get_course_block_access_transformers(user):
        (later if transformer.name() in _OVERRIDES else first).append(transformer)
    if _may_have_prerequisites(course_key):
        milestones = EdX.MilestonesAndSpecialExamsTransformer(include_special_exams=True, include_gated_sections=False)
        # It would query this person's progress in each exam of the course, which is not needed here.
        milestones.add_special_exam_info = lambda *_exam: None
        first.append(milestones)
    # The default transformers do not remove blocks with a message about denied access.
    first.append(EdX.AccessDeniedMessageFilterTransformer())
    return EdX.BlockStructureTransformers(first), EdX.BlockStructureTransformers(later)


def _may_have_prerequisites(course_key: CourseKey) -> bool:
    """May a part of the course have prerequisites? In one query; the transformer takes four to find out."""
    if not conf.has_feature("MILESTONES_APP"):
        return True  # the transformer checks this too, and then makes no queries
    of_course, of_content = (
        model.objects.filter(course_id=str(course_key), active=True).values("pk")
        for model in (EdX.CourseMilestone, EdX.CourseContentMilestone)
    )
    return bool(of_course.union(of_content, all=True)[:1])


def _extend_dates(blocks: Any, key: UsageKey, latest: datetime | None) -> None:
    """Apply the extension of a block to all blocks in it, which keep the old date in the platform."""
    date = _as_datetime(blocks.get_xblock_field(key, "due", None))
    if date and latest and latest > date:
        date = latest
    if date:
        blocks.override_xblock_field(key, "due", date)
    for child in blocks.get_children(key):
        _extend_dates(blocks, child, date or latest)


def _as_datetime(date: datetime | str | None) -> datetime | None:
    """The dates of one person are strings, which the next transformer could not compare."""
    if not isinstance(date, str):
        return date
    parsed = datetime.fromisoformat(date)
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
