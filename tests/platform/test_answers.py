"""Answers that are told are answers that the platform's own problem shows to the same person now."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from crum import set_current_request
from django.test import RequestFactory
from django.test.utils import override_settings
from edx_when.api import set_date_for_block
from lms.djangoapps.courseware.block_render import get_block
from lms.djangoapps.courseware.model_data import FieldDataCache
from xmodule.modulestore.tests.django_utils import ModuleStoreTestCase

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import RetrievalMode
from tests.platform import factories

pytestmark = pytest.mark.lms

RULES = ("always", "answered", "attempted", "closed", "finished", "past_due", "correct_or_past_due", "never",
         "after_attempts", "after_all_attempts", "after_all_attempts_or_correct", "attempted_no_past_due")  # fmt: skip
CORRECTNESS = ("always", "past_due", "never")
DUE = {"none": None, "over": factories.YESTERDAY, "to come": factories.TOMORROW}
GRACE = {"": None, "long": timedelta(days=7)}


# As in production: the platform gives a person's own dates to the blocks that it binds to them.
@override_settings(
    FIELD_OVERRIDE_PROVIDERS=("lms.djangoapps.courseware.student_field_overrides.IndividualStudentOverrideProvider",),
)
class AnswersTest(ModuleStoreTestCase):
    ENABLED_SIGNALS = ["course_published"]

    def build(self, **course: Any) -> None:
        """A subsection for each due date and grace period, with a problem for each pair of rules."""
        self.course = factories.make_course(**course)
        self.units = {}
        with self.store.bulk_operations(self.course.id):
            for (when, due), (grace, period) in product(DUE.items(), GRACE.items()):
                unit = factories.add_unit(self.course, f"{when} {grace}", sequence={"due": due, "graceperiod": period})
                self.units[when, grace] = unit
                for rule, correctness in product(RULES, CORRECTNESS):
                    rules = {"showanswer": rule, "show_correctness": correctness}
                    factories.add_problem(unit, f"{when} {grace}: {rule}, correctness {correctness}", **rules)
        factories.add_modes(self.course.id)
        self.learner = factories.enrolled(self.course.id)

    def shown(self, location: Any) -> bool:
        """What the platform's own problem says, bound to the learner."""
        request = RequestFactory().get("/")
        request.user, request.session = self.learner, {}
        set_current_request(request)
        try:
            cache = FieldDataCache([self.store.get_item(location)], self.course.id, self.learner)
            block = get_block(self.learner, request, location, cache, course=self.course)
            return bool(block.answer_available())
        finally:
            set_current_request(None)

    def told(self) -> set[tuple[str, str, str]]:
        """Subsections and rules whose answers are told; each must be one that the platform shows."""
        factories.new_request()
        told = {}
        for (when, grace), place in self.units.items():
            [unit] = get_platform().content(self.learner, place.location, RetrievalMode.UNIT)
            assert len(unit.children) == len(RULES) * len(CORRECTNESS)
            told |= {
                (when, grace, block.display_name.partition(": ")[2]): block.usage_key
                for block in unit.children
                if block.answers_visible
            }
        # Only now: blocks that a request reads after it has bound one know of the person's dates by themselves.
        assert not [rules for rules, location in told.items() if not self.shown(location)]
        return set(told)

    OVER = frozenset({"always, correctness past_due", "past_due, correctness always", "closed, correctness always",
                      "past_due, correctness past_due", "closed, correctness past_due"})  # fmt: skip

    def always(self) -> set[tuple[str, str, str]]:
        return {(when, grace, "always, correctness always") for when, grace in self.units}

    def test_dates_and_grace(self) -> None:
        self.build()
        assert self.told() == self.always() | {("over", "", name) for name in self.OVER}

    def test_more_time_for_one_person(self) -> None:
        self.build()
        for (when, _grace), unit in self.units.items():
            if when == "over":
                sequence = self.store.get_item(unit.location).parent
                set_date_for_block(self.course.id, sequence, "due", factories.TOMORROW, user=self.learner)
        assert self.told() == self.always()
        self.learner = factories.enrolled(self.course.id)
        assert self.told() == self.always() | {("over", "", name) for name in self.OVER}

    def test_at_ones_own_pace(self) -> None:
        self.build(self_paced=True)
        assert self.told() == self.always()
