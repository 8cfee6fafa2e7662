"""Who sees a course and its blocks, in the LMS and in Studio."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from xmodule.modulestore.tests.django_utils import SharedModuleStoreTestCase

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.exceptions import ProcessorError
from tests.platform import factories


class CourseCase(SharedModuleStoreTestCase):
    """A course with one unit: a page for all, and one for staff."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.course = factories.make_course()
        cls.unit = factories.add_unit(cls.course)
        cls.page = factories.add_html(cls.unit, "Sunlight")
        cls.notes = factories.add_html(cls.unit, "Notes", visible_to_staff_only=True)

    def setUp(self) -> None:
        super().setUp()
        factories.add_modes(self.course.id)
        self.platform = get_platform()

    def closed(self, user: Any) -> Any:
        """What ``content`` keeps from this person, or that it gives them nothing."""
        factories.new_request()
        try:
            return list(self.platform.closed_blocks(user, self.page.location, RetrievalMode.UNIT))
        except ProcessorError:
            return "all"

    def sees(self, user: Any) -> tuple[bool, ...]:
        """May this person see: the course, a page, the staff's page; and is there an outline, and content?"""
        factories.new_request()
        try:
            content = bool(self.platform.content(user, self.page.location, RetrievalMode.UNIT))
        except ProcessorError:
            content = False
        return (
            self.platform.can_see_course(user, self.course.id),
            self.platform.can_see_block(user, self.page.location),
            self.platform.can_see_block(user, self.notes.location),
            bool(self.platform.course_outline(user, self.course.id)),
            content,
        )


LEARNERS, STAFF, NOTHING = (True, True, False, True, True), (True,) * 5, (False,) * 5


class AnyServiceTest(CourseCase):
    """What does not depend on who asks, and those who are nobody in either service."""

    def test_what_a_course_says_about_itself(self) -> None:
        info = self.platform.course_info(self.course.id)
        assert info.course_key == self.course.id
        assert (info.title, info.start.date()) == (self.course.display_name, factories.LAST_YEAR.date())
        with pytest.raises(ProcessorError):
            self.platform.course_info(self.course.id.replace(run="nowhere"))

    def test_the_way_to_a_place(self) -> None:
        gone = self.page.location.replace(name="gone")
        ways = self.platform.ways_to([self.page.location, gone])
        assert list(ways) == [self.page.location]
        way = [step.usage_key.block_type for step in ways[self.page.location]]
        assert way == ["course", "chapter", "sequential", "vertical", "html"]

    def test_a_link_for_learners(self) -> None:
        link = self.platform.block_link(self.unit.location)
        assert link == f"{settings.LEARNING_MICROFRONTEND_URL}/course/{self.course.id}/{self.unit.location}"

    def test_people_who_are_nobody_here(self) -> None:
        for person in (factories.stranger(), factories.anonymous(), factories.inactive(self.course.id)):
            assert self.sees(person) == NOTHING
            assert self.closed(person) == "all"
            assert not self.platform.is_course_staff(person, self.course.id)
            assert not self.platform.is_in_exam(person)

    def test_staff(self) -> None:
        for person in (factories.staff(self.course.id), factories.instructor(self.course.id), factories.site_staff()):
            assert self.sees(person) == STAFF
            assert self.closed(person) == []
            assert self.platform.is_course_staff(person, self.course.id)

    def test_a_course_that_does_not_exist(self) -> None:
        author, nowhere = factories.site_staff(), self.course.id.replace(run="nowhere")
        page = self.page.location.map_into_course(nowhere)
        assert not self.platform.can_see_course(author, nowhere)
        assert not self.platform.can_see_block(author, page)
        for ask in (
            lambda: self.platform.course_outline(author, nowhere),
            lambda: self.platform.content(author, page, RetrievalMode.UNIT),
            lambda: self.platform.closed_blocks(author, page, RetrievalMode.UNIT),
        ):
            with pytest.raises(ProcessorError):
                ask()
        assert not self.platform.ways_to([page])


@pytest.mark.lms
class LmsPeopleTest(CourseCase):
    def test_learners(self) -> None:
        for mode in ("audit", "verified"):
            learner = factories.enrolled(self.course.id, mode)
            assert self.sees(learner) == LEARNERS
            assert self.closed(learner) == [self.notes.location]
            assert not self.platform.is_course_staff(learner, self.course.id)

    def test_audit_access_that_has_expired(self) -> None:
        factories.limit_audit_access()
        expired = factories.expired(self.course.id)
        assert self.sees(expired) == NOTHING
        assert self.closed(expired) == "all"
        assert self.sees(factories.enrolled(self.course.id)) == LEARNERS


@pytest.mark.studio
class StudioPeopleTest(CourseCase):
    def test_learners(self) -> None:
        learner = factories.enrolled(self.course.id)
        assert self.sees(learner) == NOTHING
        assert self.closed(learner) == "all"
        assert not self.platform.is_course_staff(learner, self.course.id)
