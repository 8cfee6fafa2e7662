"""Blocks with real XBlock fields, as far as we read them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from xblock.core import XBlock
from xblock.field_data import DictFieldData
from xblock.fields import Boolean, DateTime, Dict, Integer, JSONField, List, Scope, ScopeIds, String


class _FieldData(DictFieldData):
    """What is not set on a block is inherited, if it is one of those that are."""

    INHERITED = frozenset(
        {"showanswer", "show_correctness", "due", "graceperiod", "hide_after_due", "graded", "hide_from_toc"}
    )

    def __init__(self, values: dict[str, Any], parent: Any) -> None:
        super().__init__(values)
        self._parent = parent

    def default(self, block, name):
        if name not in self.INHERITED or self._parent is None:
            raise KeyError(name)
        return getattr(self._parent, name)


class Hours(JSONField):
    def from_json(self, value):
        return timedelta(hours=int(value.split()[0])) if isinstance(value, str) else value

    enforce_type = from_string = from_json


class PlatformBlock(XBlock):
    display_name = String(scope=Scope.settings)
    start = DateTime(scope=Scope.settings)
    due = DateTime(scope=Scope.settings)
    graceperiod = Hours(scope=Scope.settings)
    showanswer = String(scope=Scope.settings, default="finished")
    show_correctness = String(scope=Scope.settings, default="always")
    visible_to_staff_only = Boolean(scope=Scope.settings, default=False)
    group_access = Dict(scope=Scope.settings, default={})
    hide_from_toc = Boolean(scope=Scope.settings, default=False)
    hide_after_due = Boolean(scope=Scope.settings, default=False)
    is_time_limited = Boolean(scope=Scope.settings, default=False)
    is_proctored_enabled = Boolean(scope=Scope.settings, default=False)
    is_practice_exam = Boolean(scope=Scope.settings, default=False)
    graded = Boolean(scope=Scope.settings, default=False)
    format = String(scope=Scope.settings)
    has_children = False

    @property
    def location(self):
        return self.scope_ids.usage_id

    @property
    def category(self):
        return self.scope_ids.block_type


class ContainerBlock(PlatformBlock):
    has_children = True


class CourseBlock(ContainerBlock):
    language = String(scope=Scope.settings)
    self_paced = Boolean(scope=Scope.settings, default=False)
    end = DateTime(scope=Scope.settings)


class BankBlock(ContainerBlock):
    max_count = Integer(scope=Scope.settings, default=1)
    selected = List(scope=Scope.user_state, default=[])


class HtmlBlock(PlatformBlock):
    data = String(scope=Scope.content, default="")


class ProblemBlock(PlatformBlock):
    data = String(scope=Scope.content, default="<problem/>")
    attempts = Integer(scope=Scope.user_state, default=0)
    student_answers = Dict(scope=Scope.user_state, default={"a": "what somebody wrote"})


class VideoBlock(PlatformBlock):
    edx_video_id = String(scope=Scope.settings, default="")
    transcripts = Dict(scope=Scope.settings, default={})
    sub = String(scope=Scope.settings, default="")


class PollBlock(PlatformBlock):
    question = String(scope=Scope.settings, default="What is your favourite colour?")


_CLASSES = {
    "course": CourseBlock,
    "html": HtmlBlock,
    "problem": ProblemBlock,
    "video": VideoBlock,
    "poll": PollBlock,
    **dict.fromkeys(("library_content", "itembank"), BankBlock),
    **dict.fromkeys(("chapter", "sequential", "vertical", "split_test", "randomize", "conditional"), ContainerBlock),
}


def make_block(runtime, usage_key, attributes: dict[str, str], *, data: str | None = None, parent=None):
    """A block of the key's type whose fields are read from OLX attributes."""
    block_class = _CLASSES[usage_key.block_type]
    values = {
        name: block_class.fields[name].from_string(value)
        for name, value in attributes.items()
        if name in block_class.fields
    }
    if data is not None:
        values["data"] = data
    # Published and draft are two definitions of one usage.
    definition = object()
    runtime.field_data[definition] = _FieldData(values, parent)
    block = block_class(runtime, scope_ids=ScopeIds(None, usage_key.block_type, definition, usage_key))
    if block.has_children:
        block.children = []
    return block
