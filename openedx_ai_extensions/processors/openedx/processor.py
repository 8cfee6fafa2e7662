"""``OpenEdXProcessor``: reads the part of the course that a profile selects."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core.hooks import Problem, config_validator, reads_processors
from openedx_ai_extensions.core.messages import Message as _
from openedx_ai_extensions.core.portable import is_whole
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import Block, Person, RetrievalMode
from openedx_ai_extensions.exceptions import InvalidRequest, ProcessorError
from openedx_ai_extensions.policy.guard import readable_units
from openedx_ai_extensions.processors.base import Processor, function
from openedx_ai_extensions.processors.openedx.blocks.omissions import BlockText
from openedx_ai_extensions.processors.openedx.content import (
    INFO_FIELDS,
    CourseContent,
    info_section,
    location_facts,
    outline_sections,
)
from openedx_ai_extensions.processors.openedx.extraction import omissions_at_location, unit_sections
from openedx_ai_extensions.processors.openedx.trimming import Fitted, fit, fitted
from openedx_ai_extensions.prompts.citations import Passages

_PATH = "$.processor_config.OpenEdXProcessor"


class OpenEdXProcessor(Processor):
    """Reads the course as one person sees it, as the profile's ``OpenEdXProcessor`` (or the name of a subclass)
    configures.

    Configuration, all optional:

    * ``function``: ``get_location_content``, ``no_context``, ``get_course_info``, ``get_course_outline``, or a function
      of a subclass: a method with ``@function`` that returns the text. Default: ``get_location_content`` at a
      location, ``get_course_info`` elsewhere in a course, ``no_context`` outside of courses.
    * ``retrieval_mode``: ``unit`` (default), ``sequence`` or ``up_to_current_unit``: the units to read.
    * ``char_limit``: the maximum length in characters; the parts farthest from the location are omitted. Null: no
      limit.
    * ``fields``: for ``get_course_info``, names of ``INFO_FIELDS``; for ``get_location_content``, the categories of
      blocks to read, such as ``["html", "video"]``. Null: all.

    Args:
        processor_config: the profile's whole ``processor_config``.
        location_id: the person's current block; a key or a string.
        course_id: the course; a key or a string. By default the location's course.
        user: the person. Without one no content is visible.
    """

    default_function = "get_location_content"

    def __init__(
        self,
        processor_config: Mapping[str, Any] | None = None,
        location_id: UsageKey | str | None = None,
        course_id: CourseKey | str | None = None,
        user: Person | None = None,
    ) -> None:
        super().__init__(processor_config)
        self.location_id = location_id
        self.course_id = course_id
        # The stubs declare narrower types for AnonymousUser than a protocol allows.
        self.user = user or cast("Person", AnonymousUser())
        self._facts: Callable[[], dict[str, Any]] = dict  # for the content that was read last
        self._passages: Passages | None = None

    def process(self) -> CourseContent:
        """Run the configured function; ``str`` of the result is the text for a model.

        Raises:
            InvalidRequest: the function needs a location or a course, which is missing or not a valid key.
            ProcessorError: the configuration is not valid, the location does not exist, or the person may not see it.
        """
        self._facts = dict
        read = self._read()
        return read if isinstance(read, CourseContent) else CourseContent(read, self._facts())

    def text(self, passages: Passages | None = None) -> str:
        """The text of ``process``, without the cost of the keys.

        Args:
            passages: labels the content around a location, so that an answer can cite it; None for no labels.

        Raises: as ``process``.
        """
        self._passages = passages
        return str(self._read())

    def _read(self) -> str | CourseContent:
        read = self.call_function()
        if isinstance(read, str | CourseContent):
            return read
        # A function of a subclass may return a dictionary only.
        return CourseContent(json.dumps(read, ensure_ascii=False, default=str), read)

    @property
    def function_name(self) -> str:
        if self._is_configured or self.location_id:
            return super().function_name
        return "get_course_info" if self.course_id else "no_context"

    @property
    def _is_configured(self) -> bool:
        """Does the configuration, or a subclass, select a function?"""
        return bool(self.config.get("function")) or self.default_function != OpenEdXProcessor.default_function

    @function
    def no_context(self) -> str:
        return ""

    @function
    def get_location_content(self) -> str:
        """The content around the location."""
        course_text = self._fitted(readable_units(self._all_units(), self.user))
        self._facts = partial(location_facts, course_text, self.location_key, self.retrieval_mode, self.user)
        return course_text.text

    def explain_location_content(self) -> BlockText:
        """The text of ``get_location_content``, and its omissions with their reasons. For course staff only.

        Raises:
            ProcessorError: as ``process``.
        """
        all_units = self._all_units()
        units = readable_units(all_units, self.user)
        course_text = self._fitted(units)
        closed = get_platform().closed_blocks(self.user, self.location_key, self.retrieval_mode)
        omissions = omissions_at_location(units, all_units, closed, course_text, self.fields)
        return BlockText(course_text.text, tuple(omissions))

    def _all_units(self) -> Sequence[Block]:
        return get_platform().content(self.user, self.location_key, self.retrieval_mode)

    def _fitted(self, units: Sequence[Block]) -> Fitted:
        sections = unit_sections(units, self.location_key, self.fields, self._passages)
        return fitted(sections, self.char_limit, near_end=self.retrieval_mode is RetrievalMode.UP_TO_CURRENT_UNIT)

    @function
    def get_course_info(self) -> str:
        """The description of the course."""
        platform, course_key = get_platform(), self.course_key
        # Without a function, the fields may be categories of blocks, for use at a location.
        fields = self.fields if self._is_configured else None
        unknown = sorted((fields or frozenset()) - set(INFO_FIELDS))
        if unknown:
            raise ProcessorError(
                _("A course has no {names}. It has: {known}.").format(
                    names=", ".join(unknown), known=", ".join(INFO_FIELDS)
                )
            )
        info = platform.course_info(course_key)
        if not platform.can_see_course(self.user, course_key):
            raise ProcessorError(_("This course is not open to you."))
        self._facts = partial(dict, display_name=info.title)
        return fit([info_section(info, fields)], self.char_limit)

    @function
    def get_course_outline(self) -> str:
        """The titles of the chapters, sequences and units."""
        platform, course_key = get_platform(), self.course_key
        location = self.location_key if self.location_id else None
        return fit(outline_sections(platform.course_outline(self.user, course_key), location), self.char_limit)

    @property
    def location_key(self) -> UsageKey:
        """The location's key. Raises InvalidRequest if it is missing or not valid."""
        if not self.location_id:
            raise InvalidRequest(_("This works only on a page of the course. Please open a page first."))
        try:
            return (
                self.location_id if isinstance(self.location_id, UsageKey) else UsageKey.from_string(self.location_id)
            )
        except InvalidKeyError as error:
            raise InvalidRequest(_("This is not a place in a course.")) from error

    @property
    def course_key(self) -> CourseKey:
        """The key of the course, or of the location's course. Raises InvalidRequest if both are missing or not
        valid.
        """
        if not self.course_id and not self.location_id:
            raise InvalidRequest(_("This works only in a course. Please open a course first."))
        if not self.course_id:
            return self.location_key.course_key
        try:
            return self.course_id if isinstance(self.course_id, CourseKey) else CourseKey.from_string(self.course_id)
        except InvalidKeyError as error:
            raise InvalidRequest(_("This is not a course.")) from error

    @property
    def retrieval_mode(self) -> RetrievalMode:
        """The configured mode. Raises ProcessorError if it does not exist."""
        mode = self.config.get("retrieval_mode") or RetrievalMode.UNIT
        if mode not in list(RetrievalMode):
            raise ProcessorError(
                _("retrieval_mode must be one of: {names}.").format(names=", ".join(RetrievalMode)),
            )
        return RetrievalMode(mode)

    @property
    def char_limit(self) -> int | None:
        """The configured limit. Raises ProcessorError if it is not a positive integer."""
        limit = self.config.get("char_limit")
        if limit is None:
            return None
        if not is_whole(limit) or limit < 1:
            raise ProcessorError(_("char_limit must be a whole number greater than 0, or null."))
        return limit

    @property
    def fields(self) -> frozenset[str] | None:
        """The configured names. Raises ProcessorError if they are not a list of strings."""
        fields = self.config.get("fields")
        if fields is None:
            return None
        if not isinstance(fields, list) or not all(isinstance(name, str) for name in fields):
            raise ProcessorError(_("fields must be a list of names, or null."))
        return frozenset(fields)


@config_validator
def check_openedx_processor(config: Mapping[str, Any]) -> Iterable[Problem]:
    """The function and the selected fields must exist. The schema checks everything else."""
    section = config["processor_config"].get("OpenEdXProcessor")
    if section is None or not reads_processors(config):
        return
    function = section.get("function") or OpenEdXProcessor.default_function
    if function not in OpenEdXProcessor.functions():
        names = ", ".join(sorted(OpenEdXProcessor.functions()))
        yield Problem(
            f"{_PATH}.function", gettext("There is no such function. Use one of: {names}.").format(names=names)
        )
    elif function == "get_course_info":
        for index, name in enumerate(section.get("fields") or ()):
            if name not in INFO_FIELDS:
                names = ", ".join(INFO_FIELDS)
                yield Problem(
                    f"{_PATH}.fields[{index}]", gettext("A course has no such field. Use: {names}.").format(names=names)
                )
