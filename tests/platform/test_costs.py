"""What requests cost in a large course, as queries of the document store and of the database. Prints the figures."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import pymongo
import pytest
from django.db import connections
from django.test.utils import CaptureQueriesContext
from milestones.tests.utils import MilestonesTestCaseMixin
from xmodule.modulestore.tests.django_utils import SharedModuleStoreTestCase

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.policy import Guard
from openedx_ai_extensions.processors.openedx.processor import OpenEdXProcessor
from tests.platform import factories

CHAPTERS, SEQUENCES, UNITS, PAGES = 8, 4, 4, 880  # and the course: 1 049 blocks
EXAMS = 3  # of the sequences of each chapter

# The methods of a collection that ask the server something.
_STORE_QUERIES = ("find", "find_one", "count_documents", "aggregate", "distinct")

# The test's own transaction makes savepoints of requests, and keeps what is set up in it out of our caches.
_ONLY_IN_TESTS = ("SAVEPOINT", "openedx_ai_extensions_aipause", "openedx_ai_extensions_aiworkflowscope")


@dataclass
class Cost:
    store: int = 0
    sql: int = 0
    seconds: float = 0.0


@contextmanager
def costs() -> Iterator[Cost]:
    """Counts the queries made inside."""
    cost, depth = Cost(), 0

    def counted(method: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal depth
            cost.store += depth == 0  # find_one may be made of find
            depth += 1
            try:
                return method(*args, **kwargs)
            finally:
                depth -= 1

        return call

    collection = pymongo.collection.Collection
    with ExitStack() as stack:
        captured = [stack.enter_context(CaptureQueriesContext(connection)) for connection in connections.all()]
        for name in _STORE_QUERIES:
            stack.enter_context(patch.object(collection, name, counted(getattr(collection, name))))
        began = time.perf_counter()
        yield cost
        cost.seconds = time.perf_counter() - began
        statements = [query["sql"] for capture in captured for query in capture.captured_queries]
        cost.sql = sum(not any(word in statement for word in _ONLY_IN_TESTS) for statement in statements)


@pytest.mark.lms
class LargeCourseTest(SharedModuleStoreTestCase, MilestonesTestCaseMixin):
    """The kinds of milestones are in place, as a site has them from a migration: looking for some costs more then."""

    ENABLED_SIGNALS = ["course_published"]
    # Those that a site has: versions of courses that cannot change any more are kept in the second.
    ENABLED_CACHES = ["default", "course_structure_cache"]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        course = factories.make_course()
        with cls.store.bulk_operations(course.id):
            units = []
            for chapter in (factories.add(course, "chapter") for _ in range(CHAPTERS)):
                for number in range(SEQUENCES):
                    sequence = factories.add(chapter, "sequential", is_time_limited=number < EXAMS)
                    units += [factories.add(sequence, "vertical") for _ in range(UNITS)]
            last_page = max(page for page in range(PAGES) if page % len(units) == len(units) - 1 and page % 3)
            for page in range(PAGES):
                unit = units[page % len(units)]
                if page % 3:
                    factories.add_html(unit, f"Page {page}")
                else:
                    factories.add_problem(unit, f"Question {page}", showanswer="past_due")
        cls.course, cls.last, cls.text = course, units[-1].location, f"Page {last_page}"

    def setUp(self) -> None:
        super().setUp()
        factories.add_modes(self.course.id)
        self.learner = factories.enrolled(self.course.id)
        self.staff = factories.staff(self.course.id)
        factories.make_scope(self.course.id)

    def test_size(self) -> None:
        # Of no parent, and in no structure: what the platform says of a course.
        blocks = [block for block in self.store.get_items(self.course.id) if block.location.block_type != "about"]
        assert len(blocks) == 1 + CHAPTERS * (1 + SEQUENCES * (1 + UNITS)) + PAGES == 1049

    def test_which_ui(self) -> None:
        api, nowhere = factories.Api(self.learner, self.last), factories.Api(self.learner, self.last)
        nowhere.query = {"context": json.dumps({"uiSlotSelectorId": "none"})}
        assert "ui_components" in api.profile().json()
        figures = {}
        for what, client in (("profile, learner", api), ("profile outside of courses", nowhere)):
            for _warm in range(2):
                with costs() as cost:
                    assert client.profile().status_code == 200
            figures[client] = report(what, cost)
        # Seven are what the platform asks of every request: its session, site, theme, language… Seven are questions of
        # its own functions: after the course's version, enrolment, roles of two kinds, modes (twice) and course blocks.
        # One is after milestones. Where ENABLE_SPECIAL_EXAMS is on, one more is after attempts.
        assert figures[api].sql - figures[nowhere].sql <= 8
        assert figures[api].sql <= 15
        assert figures[api].store <= 1

    def test_access_and_content(self) -> None:
        for mode in RetrievalMode:
            for _warm in range(2):
                factories.new_request()
                with costs() as cost:
                    assert get_platform().can_see_block(self.learner, self.last)
                    Guard(user=self.learner, location_id=self.last).require_allowed(asks_model=False)
                    config = {"OpenEdXProcessor": {"retrieval_mode": mode}}
                    assert OpenEdXProcessor(config, location_id=self.last, user=self.learner).process()
            report(f"access and content, {mode}", cost)
            assert cost.store <= 3
            assert cost.sql <= 12

    def test_first_answer(self) -> None:
        api = factories.Api(self.learner, self.last)
        with factories.model_server() as model:
            for _warm in range(2):
                with costs() as cost:
                    response = api.run("Hello")
                    text = factories.text_of(response) if response.streaming else response.content
            assert response.status_code == 200, text
        report("whole first answer", cost)
        assert cost.store <= 3
        assert cost.sql <= 23
        assert self.text in str(model.requests)


def report(what: str, cost: Cost) -> Cost:
    print(f"\n{what}: {cost.store} store queries, {cost.sql} SQL, {cost.seconds:.2f} s")  # noqa: T201
    return cost
