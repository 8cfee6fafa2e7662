"""What the platform closes to a learner, of the course and of its blocks, by every question that reads one."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import pytest
from common.djangoapps.student.models import CourseEnrollment
from common.djangoapps.util import milestones_helpers
from django.conf import settings
from django.core.cache import cache
from django.test.utils import override_settings
from edx_when.api import set_date_for_block
from lms.djangoapps.courseware.models import StudentFieldOverride
from lms.djangoapps.survey.models import SurveyForm
from milestones.tests.utils import MilestonesTestCaseMixin
from opaque_keys.edx.keys import UsageKey
from openedx.core.lib.gating import api as gating_api
from xmodule.modulestore import ModuleStoreEnum
from xmodule.modulestore.tests.django_utils import ModuleStoreTestCase
from xmodule.partitions.partitions import ENROLLMENT_TRACK_PARTITION_ID

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.exceptions import ProcessorError
from tests.platform import factories

pytestmark = pytest.mark.lms


class AccessCase(ModuleStoreTestCase, MilestonesTestCaseMixin):
    """A course with two units, each in a section of its own, and a learner without a paid mode."""

    ENABLED_SIGNALS = ["course_published"]

    def build(self, *, sequence: dict[str, Any] | None = None, **course: Any) -> None:
        self.course = factories.make_course(**course)
        factories.add_modes(self.course.id)
        self.unit = factories.add_unit(self.course, "First", sequence=sequence)
        self.page = factories.add_html(self.unit, "Sunlight")
        self.problem = factories.add_problem(self.unit, graded=True)
        self.last = factories.add_unit(self.course, "Last")
        factories.add_html(self.last, "Afterword")
        self.learner, self.staff = factories.enrolled(self.course.id), factories.staff(self.course.id)

    def reads(self, user: Any, place: Any) -> bool:
        """May this person be at a place? All questions must agree."""
        factories.new_request()
        platform = get_platform()
        sees = platform.can_see_block(user, place.location)
        try:
            units = platform.content(user, place.location, RetrievalMode.UNIT)
        except ProcessorError:
            units = ()
        assert bool(units) is sees
        texts = str(self.passes(user))
        assert (place.display_name in texts) is sees
        return sees

    def publish(self, place: Any, **fields: Any) -> None:
        """Change a block, as an author does."""
        with self.store.branch_setting(ModuleStoreEnum.Branch.draft_preferred, self.course.id):
            block = self.store.get_item(place.location)
            for name, value in fields.items():
                setattr(block, name, value)
            self.store.update_item(block, self.staff.id)
            self.store.publish(place.location, self.staff.id)

    def passes(self, user: Any) -> tuple[Any, ...]:
        """All that is read up to the last unit."""
        try:
            return tuple(get_platform().content(user, self.last.location, RetrievalMode.UP_TO_CURRENT_UNIT))
        except ProcessorError:
            return ()


class ClosedCourseTest(AccessCase):
    def require_closed(self, learner: Any) -> None:
        assert not self.reads(learner, self.page)
        platform = get_platform()
        assert not platform.can_see_course(learner, self.course.id)
        assert not platform.course_outline(learner, self.course.id)
        assert self.reads(self.staff, self.page)
        factories.make_scope(self.course.id)
        with factories.model_server() as model:
            api = factories.Api(learner, self.unit.location)
            assert "ui_components" not in api.profile().json()
            assert api.run("Hello").status_code == 403
            assert not model.requests

    def test_open(self) -> None:
        self.build()
        assert self.reads(self.learner, self.page)

    def test_audit_access_that_has_expired(self) -> None:
        self.build()
        factories.limit_audit_access()
        self.require_closed(factories.expired(self.course.id))

    @patch.dict(settings.FEATURES, {"ENABLE_PREREQUISITE_COURSES": True, "MILESTONES_APP": True})
    def test_a_prerequisite_course(self) -> None:
        earlier = factories.make_course()
        self.build(pre_requisite_courses=[str(earlier.id)])
        milestones_helpers.add_prerequisite_course(self.course.id, earlier.id)
        self.require_closed(self.learner)
        milestones_helpers.fulfill_course_milestone(earlier.id, self.learner)
        assert self.reads(self.learner, self.page)

    def test_a_learner_who_leaves_and_comes_back(self) -> None:
        self.build()
        assert self.reads(self.learner, self.page)
        CourseEnrollment.unenroll(self.learner, self.course.id)
        self.require_closed(self.learner)
        CourseEnrollment.enroll(self.learner, self.course.id, mode="audit")
        assert self.reads(self.learner, self.page)

    def test_a_survey(self) -> None:
        SurveyForm.create("Survey", '<input name="field"/>')
        self.build(course_survey_required=True, course_survey_name="Survey")
        self.require_closed(self.learner)


# As in production: it is these that tell a problem's groups.
@override_settings(
    XBLOCK_FIELD_DATA_WRAPPERS=("lms.djangoapps.courseware.field_overrides:OverrideModulestoreFieldData.wrap",)
)
class ClosedBlocksTest(AccessCase):
    def test_paid_content(self) -> None:
        factories.gate_paid_content()  # first: courses learn of it when they are published
        self.build()
        assert not self.reads(self.learner, self.problem)
        assert self.reads(self.learner, self.page)
        closed = get_platform().closed_blocks(self.learner, self.page.location, RetrievalMode.UNIT)
        assert closed == [self.problem.location]
        assert self.reads(factories.enrolled(self.course.id, "verified"), self.problem)
        assert self.reads(self.staff, self.problem)

    def test_paid_content_since_the_course_was_published(self) -> None:
        self.build()
        assert self.reads(self.learner, self.problem)
        factories.gate_paid_content()
        cache.clear()  # the platform's own of its configuration
        assert not self.reads(self.learner, self.problem)
        assert self.reads(self.learner, self.page)

    def test_groups_that_are_gone(self) -> None:
        self.build()
        for place in (self.page, self.unit):
            self.publish(place, group_access={777: [1]})
            assert not self.reads(self.learner, self.page)
            assert self.reads(self.staff, self.page)
            self.publish(place, group_access={})
            assert self.reads(self.learner, self.page)

    def test_what_is_closed_before_the_structure_is_made_anew(self) -> None:
        self.build()
        assert self.reads(self.learner, self.page)
        with patch(
            "openedx.core.djangoapps.content.block_structure.tasks.update_course_in_cache_v2.apply_async"
        ) as held_back:
            self.publish(self.unit, visible_to_staff_only=True)
        assert held_back.called
        assert not self.reads(self.learner, self.page)
        assert not self.reads(self.learner, self.unit)

    def test_out_of_the_table_of_contents(self) -> None:
        self.build(sequence={"hide_from_toc": True})
        factories.new_request()
        [unit] = get_platform().content(self.learner, self.page.location, RetrievalMode.UNIT)
        assert {child.usage_key for child in unit.children} == {self.page.location, self.problem.location}

    def test_an_aside(self) -> None:
        self.build()
        factories.make_scope(self.course.id)
        api = factories.Api(self.learner, UsageKey.from_string(f"aside-usage-v1:{self.page.location}::tags"))
        assert api.run("Hello").status_code == 400

    @patch.dict(settings.FEATURES, {"MILESTONES_APP": True})
    def test_a_section_behind_a_prerequisite(self) -> None:
        self.build(enable_subsection_gating=True)
        assert self.reads(self.learner, self.page)
        gated, first = (self.store.get_item(unit.location).parent for unit in (self.unit, self.last))
        gating_api.add_prerequisite(self.course.id, first)
        gating_api.set_required_content(self.course.id, gated, first, 100, 0)
        assert not self.reads(self.learner, self.page)
        assert self.reads(self.staff, self.page)

    @patch.dict(settings.FEATURES, {"MILESTONES_APP": True})
    def test_what_is_behind_an_entrance_exam(self) -> None:
        self.build()
        assert self.reads(self.learner, self.page)
        passed = milestones_helpers.add_milestone({"name": "Entrance", "namespace": "entrance"})
        milestones_helpers.add_course_milestone(str(self.course.id), "requires", passed)
        exam = self.store.get_item(self.store.get_item(self.last.location).parent).parent.map_into_course(
            self.course.id
        )
        milestones_helpers.add_course_content_milestone(str(self.course.id), str(exam), "fulfills", passed)
        assert not self.reads(self.learner, self.page)
        assert self.reads(self.staff, self.page)
        milestones_helpers.add_user_milestone({"id": self.learner.id}, passed)
        assert self.reads(self.learner, self.page)

    def test_a_page_for_one_enrolment_track(self) -> None:
        self.build()
        verified = settings.COURSE_ENROLLMENT_MODES["verified"]["id"]
        self.publish(self.page, group_access={ENROLLMENT_TRACK_PARTITION_ID: [verified]})
        assert not self.reads(self.learner, self.page)
        paying = factories.enrolled(self.course.id, "verified")
        assert self.reads(paying, self.page)
        CourseEnrollment.get_enrollment(paying, self.course.id).update_enrollment(mode="audit")
        assert not self.reads(paying, self.page)

    def test_hidden_after_its_due_date(self) -> None:
        self.build(sequence={"hide_after_due": True, "due": factories.YESTERDAY})
        assert not self.reads(self.learner, self.page)
        assert self.reads(self.staff, self.page)

    def test_hidden_after_an_extended_due_date(self) -> None:
        self.build(sequence={"hide_after_due": True, "due": factories.LAST_WEEK})
        sequence = self.store.get_item(self.unit.location).parent
        set_date_for_block(self.course.id, sequence, "due", factories.TOMORROW, user=self.learner)
        assert get_platform().can_see_block(self.learner, sequence)
        assert self.reads(self.learner, self.page)
        other = factories.enrolled(self.course.id)
        assert not self.reads(other, self.page)

    @override_settings(
        FIELD_OVERRIDE_PROVIDERS=(
            "lms.djangoapps.courseware.student_field_overrides.IndividualStudentOverrideProvider",
        )
    )
    def test_hidden_by_a_date_that_is_text(self) -> None:
        self.build(sequence={"hide_after_due": True, "due": factories.TOMORROW})
        assert self.reads(self.learner, self.page)
        StudentFieldOverride.objects.create(
            course_id=self.course.id,
            location=self.store.get_item(self.unit.location).parent,
            student=self.learner,
            field="due",
            value=f'"{factories.YESTERDAY:%Y-%m-%dT%H:%M:%SZ}"',
        )
        assert not self.reads(self.learner, self.page)
        assert self.reads(factories.enrolled(self.course.id), self.page)
