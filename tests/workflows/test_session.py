"""One session per person, workflow and place, however many requests come at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, connection, transaction
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.models import AIWorkflowSession
from tests.conftest import COURSE_ID, UNIT_ID

COURSE = CourseKey.from_string(COURSE_ID)
UNIT = UsageKey.from_string(UNIT_ID)
PLACES = [
    pytest.param(COURSE, UNIT, id="a location"),
    pytest.param(COURSE, None, id="a course"),
    pytest.param(None, None, id="nowhere"),
]


@pytest.mark.parametrize(("course_id", "location_id"), PLACES)
def test_the_second_request_finds_the_first_ones_session(make_scope, learner, course_id, location_id):
    context = {"user": learner, "scope": make_scope(), "course_id": course_id, "location_id": location_id}
    first = AIWorkflowSession.objects.for_context(**context)
    first.metadata = {"turns": 1}
    first.save()
    second = AIWorkflowSession.objects.for_context(**context)
    assert (second.pk, second.metadata) == (first.pk, {"turns": 1})
    assert (second.course_id, second.location_id) == (course_id, location_id)
    assert second.profile == context["scope"].profile
    assert second.created_at <= second.updated_at


def test_each_person_workflow_and_place_has_its_own(make_scope, learner, stranger):
    scope, other_scope = make_scope(), make_scope(slug="other")
    contexts = [
        {"user": learner, "scope": scope, "course_id": COURSE, "location_id": UNIT},
        {"user": stranger, "scope": scope, "course_id": COURSE, "location_id": UNIT},
        {"user": learner, "scope": other_scope, "course_id": COURSE, "location_id": UNIT},
        {"user": learner, "scope": scope, "course_id": COURSE},
        {"user": learner, "scope": scope},
    ]
    first = [AIWorkflowSession.objects.for_context(**context).pk for context in contexts]
    second = [AIWorkflowSession.objects.for_context(**context).pk for context in contexts]
    assert first == second
    assert len(set(first)) == len(contexts)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("course_id", "location_id"), PLACES)
@pytest.mark.parametrize("in_transaction", [True, False], ids=["in a transaction each", "without transactions"])
def test_eight_requests_at_once_share_one_session(make_scope, learner, course_id, location_id, in_transaction):
    if in_transaction and connection.vendor == "sqlite":
        pytest.skip("SQLite refuses a transaction that reads, waits for another's write and then writes")
    scope = make_scope()
    barrier = threading.Barrier(8)

    def ask(_number):
        user = get_user_model().objects.get(pk=learner.pk)
        barrier.wait()
        try:
            context = {"user": user, "scope": scope, "course_id": course_id, "location_id": location_id}
            if not in_transaction:
                return AIWorkflowSession.objects.for_context(**context).pk
            with transaction.atomic():
                return AIWorkflowSession.objects.for_context(**context).pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(8))) == {AIWorkflowSession.objects.get().pk}


@pytest.mark.parametrize(("course_id", "location_id"), PLACES)
def test_the_database_refuses_a_second_row(make_scope, learner, course_id, location_id):
    scope = make_scope()
    session = AIWorkflowSession.objects.for_context(
        user=learner, scope=scope, course_id=course_id, location_id=location_id
    )
    session.pk = None
    session._state.adding = True
    with pytest.raises(IntegrityError), transaction.atomic():
        session.save()
    assert AIWorkflowSession.objects.count() == 1


@pytest.mark.parametrize("gone", ["user", "scope", "profile"])
def test_a_session_goes_with_what_it_belongs_to(make_scope, learner, gone):
    session = AIWorkflowSession.objects.for_context(user=learner, scope=make_scope(), course_id=COURSE)
    getattr(session, gone).delete()
    assert not AIWorkflowSession.objects.exists()
