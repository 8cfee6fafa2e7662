"""``course.xml``, the way into an export: which course and run it is, and where its tree begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from lxml import etree
from opaque_keys import InvalidKeyError
from opaque_keys.edx.locator import CourseLocator

from openedx_ai_extensions.edxapp.safe_xml import BrokenXML, attribute, parse_xml

_MAX_KEY = 255
_POINTER_ATTRIBUTES = frozenset({"url_name", "slug", "org", "course"})


class UnreadableCourse(Exception):
    """The course as a whole cannot be read.

    Args:
        reason: part of a sentence, for the operator.
    """

    def __init__(self, reason: str | Promise) -> None:
        self.reason = reason
        super().__init__(str(reason))


@dataclass(frozen=True, slots=True)
class Entrance:
    """The course that an export holds.

    Attributes:
        element: the root of ``course.xml``; its attributes win over those of ``definition``.
        definition: the element that holds the course's chapters: that one, or the root of ``course/<run>.xml``.
    """

    course_key: CourseLocator
    run: str
    element: etree._Element
    definition: etree._Element


def read_entrance(files: Mapping[str, bytes]) -> Entrance:
    """Follow ``course.xml`` to the run that it names; other runs in the export are not looked at.

    Raises:
        UnreadableCourse: it, or the run's file, is missing or broken, or they name no course.
    """
    try:
        element = parse_xml(files["course.xml"])
    except BrokenXML as error:
        raise UnreadableCourse(_("its course.xml is broken")) from error
    run = attribute(element, "url_name") or attribute(element, "slug")
    definition = _definition(element, f"course/{run.replace(':', '/')}.xml", files)
    org, course = (attribute(element, name) or attribute(definition, name) for name in ("org", "course"))
    try:
        # A locator fills in what is missing, or refuses it in other words: nothing of a key may be absent.
        if not (org and course and run) or len(org) + len(course) + len(run) > _MAX_KEY:
            raise UnreadableCourse(_("its course.xml names no organisation, course and run"))
        course_key = CourseLocator(org, course, run)
    except InvalidKeyError as error:
        raise UnreadableCourse(_("its course.xml names no organisation, course and run")) from error
    return Entrance(course_key, run, element, definition)


def _definition(element: etree._Element, file: str, files: Mapping[str, bytes]) -> etree._Element:
    if len(element):
        return element
    if file not in files:
        if set(element.attrib) <= _POINTER_ATTRIBUTES:
            raise UnreadableCourse(_("the file of the run that its course.xml names is missing"))
        # All in one file, and nothing in it yet.
        return element
    try:
        definition = parse_xml(files[file])
    except BrokenXML as error:
        raise UnreadableCourse(_("the file of the run that its course.xml names is broken")) from error
    if definition.tag != "course":
        raise UnreadableCourse(_("the file of the run that its course.xml names holds no course"))
    return definition
