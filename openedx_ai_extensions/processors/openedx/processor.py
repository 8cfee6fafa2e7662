"""``OpenEdXProcessor``: what a profile wants the model to know of the course."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, cast

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import Block, Person, RetrievalMode
from openedx_ai_extensions.exceptions import InvalidRequest, ProcessorError
from openedx_ai_extensions.policy.places import readable_units
from openedx_ai_extensions.processors.base import Processor, function
from openedx_ai_extensions.processors.openedx.blocks.omissions import BlockText
from openedx_ai_extensions.processors.openedx.content import CourseContent, location_facts
from openedx_ai_extensions.processors.openedx.course_text import INFO_FIELDS, info_section, outline_sections
from openedx_ai_extensions.processors.openedx.extraction import (
    closed_entries,
    omissions,
    restricted_entries,
    trimmed_entries,
    unit_sections,
)
from openedx_ai_extensions.processors.openedx.trimming import Fitted, fit, fitted


class OpenEdXProcessor(Processor):
    """Reads the course as one person sees it, as the profile's ``OpenEdXProcessor`` (or a subclass's own name) says.

    Configuration, all optional:

    * ``function``: ``get_location_content``, ``no_context``, ``get_course_info``, ``get_course_outline``, or one that a
      subclass adds: a method marked with ``@function`` that returns the text. Left out: ``get_location_content`` at a
      location, ``get_course_info`` elsewhere in a course, ``no_context`` outside of courses.
    * ``retrieval_mode``: ``unit`` (default), ``sequence`` or ``up_to_current_unit``: how much content.
    * ``char_limit``: longest text in characters; what is farthest from the location is left out. Null: no limit.
    * ``fields``: for ``get_course_info`` the facts to tell, of ``INFO_FIELDS``; for ``get_location_content`` the
      categories of blocks to read, such as ``["html", "video"]``. Null: all.

    Args:
        processor_config: the profile's whole ``processor_config``.
        location_id: the block that the person is at; a key or its text.
        course_id: the course; a key or its text. The location's own when left out.
        user: the person. Without one nothing can be seen.
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
        # The stubs give AnonymousUser's attributes narrower types than a protocol may have.
        self.user = user or cast("Person", AnonymousUser())
        self._facts: Callable[[], dict[str, Any]] = dict  # of what was read last

    def process(self) -> CourseContent:
        """What the configured function reads: as ``str``, the text to be put before a model as data.

        Raises:
            InvalidRequest: the configured function needs a location or a course, and was given none or no key.
            ProcessorError: the configuration is wrong, there is no such place, or this person may not see it.
        """
        self._facts = dict
        read = self._read()
        return read if isinstance(read, CourseContent) else CourseContent(read, self._facts())

    def text(self) -> str:
        """The text of ``process`` alone, which costs less.

        Raises: as ``process``.
        """
        return str(self._read())

    def _read(self) -> str | CourseContent:
        read = self.call_function()
        if isinstance(read, str | CourseContent):
            return read
        # A subclass may say in facts alone what it has read.
        return CourseContent(json.dumps(read, ensure_ascii=False, default=str), read)

    @property
    def function_name(self) -> str:
        if self._is_configured or self.location_id:
            return super().function_name
        return "get_course_info" if self.course_id else "no_context"

    @property
    def _is_configured(self) -> bool:
        """Do the configuration, or a subclass, name a function?"""
        return bool(self.config.get("function")) or self.default_function != OpenEdXProcessor.default_function

    @function
    def no_context(self) -> str:
        return ""

    @function
    def get_location_content(self) -> str:
        """The content around the location."""
        course_text = self._fitted(self._units())
        self._facts = partial(location_facts, course_text, self.location_key, self.retrieval_mode, self.user)
        return course_text.text

    def explain_location_content(self) -> BlockText:
        """What ``get_location_content`` reads, and what it leaves out and why. For course staff only.

        Raises:
            ProcessorError: as ``process`` does.
        """
        all_units = self._all_units()
        units = readable_units(all_units, self.user)
        course_text = self._fitted(units)
        closed = get_platform().closed_blocks(self.user, self.location_key, self.retrieval_mode)
        not_read = (
            *omissions(units, self.fields),
            *restricted_entries(all_units, units),
            *closed_entries(closed),
            *trimmed_entries(course_text),
        )
        return BlockText(course_text.text, not_read)

    def _units(self) -> Sequence[Block]:
        return readable_units(self._all_units(), self.user)

    def _all_units(self) -> Sequence[Block]:
        return get_platform().content(self.user, self.location_key, self.retrieval_mode)

    def _fitted(self, units: Sequence[Block]) -> Fitted:
        sections = unit_sections(units, self.location_key, self.fields)
        return fitted(sections, self.char_limit, near_end=self.retrieval_mode is RetrievalMode.UP_TO_CURRENT_UNIT)

    @function
    def get_course_info(self) -> str:
        """What the course says about itself."""
        platform, course_key = get_platform(), self.course_key
        # Without a function the fields are categories of blocks, for where there is a location.
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
        """Raises InvalidRequest: no location, or no key of one."""
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
        """The course, or that of the location. Raises InvalidRequest: neither, or no key of one."""
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
        """Raises ProcessorError: no such mode."""
        mode = self.config.get("retrieval_mode") or RetrievalMode.UNIT
        if mode not in list(RetrievalMode):
            raise ProcessorError(
                _("retrieval_mode must be one of: {names}.").format(names=", ".join(RetrievalMode)),
            )
        return RetrievalMode(mode)

    @property
    def char_limit(self) -> int | None:
        """Raises ProcessorError: not a number of characters."""
        limit = self.config.get("char_limit")
        if limit is None:
            return None
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise ProcessorError(_("char_limit must be a whole number greater than 0, or null."))
        return limit

    @property
    def fields(self) -> frozenset[str] | None:
        """Raises ProcessorError: not a list of names."""
        fields = self.config.get("fields")
        if fields is None:
            return None
        if not isinstance(fields, list) or not all(isinstance(name, str) for name in fields):
            raise ProcessorError(_("fields must be a list of names, or null."))
        return frozenset(fields)
