"""Blocks that show each person something else: a learner's own children are read, or none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from lms.djangoapps.courseware.models import StudentModule
from xmodule.modulestore.tests.django_utils import ModuleStoreTestCase
from xmodule.partitions.partitions import Group, UserPartition

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.processors.openedx.processor import OpenEdXProcessor
from tests.platform import factories

pytestmark = pytest.mark.lms

PAGES = ("Red", "Green", "Blue")


class ChildrenTest(ModuleStoreTestCase):
    ENABLED_SIGNALS = ["course_published"]

    def build(self, category: str, **fields: Any) -> Any:
        partition = UserPartition(50, "Split", "", [Group(0, "One"), Group(1, "Two")])
        self.course = factories.make_course(user_partitions=[partition])
        self.unit = factories.add_unit(self.course)
        factories.add_html(self.unit, "Sunlight")
        box = factories.add(self.unit, category, **fields)
        self.pages = [factories.add_html(box, title) for title in PAGES]
        factories.add_modes(self.course.id)
        self.learner = factories.enrolled(self.course.id)
        return box

    def read(self, user: Any) -> set[str]:
        """The titles of the pages that are read; those alone may be visited."""
        read = set()
        for mode in RetrievalMode:
            factories.new_request()
            [unit] = get_platform().content(user, self.unit.location, mode)
            text = str(unit)
            assert "Sunlight" in text
            read = {title for title in PAGES if f"<p>{title}</p>" in text}
        visited = {page.display_name for page in self.pages if get_platform().can_see_block(user, page.location)}
        assert visited == read
        return read

    def why(self, user: Any) -> list[str]:
        """Reasons why the box says nothing."""
        reading = OpenEdXProcessor(location_id=self.unit.location, user=user).explain_location_content()
        return [str(entry.reason) for entry in reading.omissions]

    def choose(self, box: Any, state: dict[str, Any]) -> None:
        StudentModule.objects.create(
            student=self.learner,
            course_id=self.course.id,
            module_state_key=box.location,
            module_type=box.location.block_type,
            state=json.dumps(state),
        )

    def test_a_problem_bank(self) -> None:
        box = self.build("itembank", max_count=1)
        drawn = self.read(self.learner)
        assert len(drawn) <= 1  # releases differ in who draws
        assert drawn or "personal" in self.why(self.learner)
        if not drawn:
            self.choose(box, {"selected": [["html", self.pages[1].location.block_id]]})
            assert self.read(self.learner) == {"Green"}

    def test_a_legacy_bank(self) -> None:
        self.build("library_content", max_count=1)
        assert len(self.read(self.learner)) == 1

    def test_randomize_and_conditional(self) -> None:
        for category in ("randomize", "conditional"):
            box = self.build(category)
            assert self.read(self.learner) == set()
            assert "personal" in self.why(self.learner)
            self.choose(box, {"choice": 0})
            assert self.read(self.learner) == set()

    def test_a_split_test(self) -> None:
        partition = UserPartition(50, "Split", "", [Group(0, "One"), Group(1, "Two")])
        self.course = factories.make_course(user_partitions=[partition])
        self.unit = factories.add_unit(self.course)
        factories.add_html(self.unit, "Sunlight")
        names = ("arm_0", "arm_1")
        arms = {str(group): self.course.id.make_usage_key("vertical", name) for group, name in enumerate(names)}
        box = factories.add(self.unit, "split_test", user_partition_id=50, group_id_to_child=arms)
        self.pages = []
        for name, title in zip(names, PAGES, strict=False):
            arm = factories.add(box, "vertical", name=name, display_name=name)
            self.pages.append(factories.add_html(arm, title))
        factories.add_modes(self.course.id)
        seen = self.read(factories.enrolled(self.course.id))
        assert len(seen) == 1
        assert self.read(factories.staff(self.course.id)) == {"Red", "Green"}
