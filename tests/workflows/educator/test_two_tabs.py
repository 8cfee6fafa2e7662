"""One author, two tabs: nothing is lost, mixed up, or done twice."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections

from tests.fakes.steps import Say
from tests.processors.openedx.quiz import question
from tests.waiting import eventually
from tests.workflows.educator.conftest import Desk, five, reply
from tests.workflows.educator.library import KEY, FaultyPlatform

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """What the calls return, or raise, made at the same time."""
    results: list[Any] = [None] * len(calls)

    def work(number: int) -> None:
        try:
            results[number] = calls[number]()
        except AssertionError as error:
            results[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def tabs(desk: Desk, number: int = 2) -> list[Desk]:
    return [Desk(desk.user) for _number in range(number)]


def test_versions_written_in_two_tabs_are_all_kept(desk, provider):
    desk.write(5)
    provider.reply(reply(question(display_name="Anew")), delay=0.1)
    provider.always(None)
    calls = [lambda tab=tab: tab.do("regenerate_question", {"question_index": 1})["response"] for tab in tabs(desk, 4)]
    answers = at_once(*calls)
    assert sorted(answer["selected"] for answer in answers) == [1, 2, 3, 4]
    assert all(len(answer["history"]) == answer["selected"] + 1 for answer in answers)
    slot = desk.current["question_slots"][1]
    assert (len(slot["versions"]), slot["selected"]) == (5, 4)


def test_questions_written_in_two_tabs_are_all_kept(desk):
    answers = at_once(*(lambda tab=tab: tab.write(5) for tab in tabs(desk)))
    assert sorted(len(answer["question_slots"]) for answer in answers) == [5, 10]
    assert len(desk.selected) == 10


def test_a_version_of_a_question_that_was_replaced_is_not_put_into_another(desk, provider):
    desk.write(5)
    provider.then(Say(reply(question(display_name="Late"))))
    with slow(provider, lambda: regenerate(desk)) as results:
        provider.always(Say(reply(*five(explanation="Second run."))))
        desk.write(5)
    assert results == [(400, "validation_error")]
    assert [len(slot["versions"]) for slot in desk.current["question_slots"]] == [1] * 5


def regenerate(desk: Desk) -> tuple[int, str]:
    return Desk(desk.user).refused("regenerate_question", {"question_index": 0})


@contextlib.contextmanager
def slow(provider: Any, call: Callable[[], Any]) -> Iterator[list[Any]]:
    """Make a call that is not answered before something else is done; then its result is in the list."""
    results: list[Any] = []
    asked = len(provider.requests)
    provider.hang(300)
    thread = threading.Thread(target=lambda: results.extend(at_once(call)))
    thread.start()
    eventually(lambda: len(provider.requests) > asked)
    provider.hang(0)
    yield results
    assert not results
    provider.go_on()
    thread.join()


def test_a_second_save_while_the_first_is_at_work_is_refused(desk, library, settings, monkeypatch):
    settings.AI_EXTENSIONS_BACKEND = f"{FaultyPlatform.__module__}.{FaultyPlatform.__name__}"
    monkeypatch.setattr(FaultyPlatform, "calls", {})
    monkeypatch.setattr(FaultyPlatform, "waits", gate := threading.Event())
    desk.write(5)
    questions = desk.selected
    saved: list[Any] = []
    first = threading.Thread(target=lambda: saved.extend(at_once(lambda: Desk(desk.user).save(questions))))
    first.start()
    eventually(lambda: FaultyPlatform.calls.get("create_library_block"))
    assert desk.refused("save", {"library_id": KEY, "questions": questions}) == (409, "duplicate_request")
    gate.set()
    first.join()
    assert saved[0]["saved"] == 5
    assert desk.save(questions) == saved[0]
    assert len(library.problems) == 5
    assert library.is_whole


def test_questions_that_came_while_others_were_saved_stay_in_review(desk, library, settings, monkeypatch, provider):
    settings.AI_EXTENSIONS_BACKEND = f"{FaultyPlatform.__module__}.{FaultyPlatform.__name__}"
    monkeypatch.setattr(FaultyPlatform, "calls", {})
    monkeypatch.setattr(FaultyPlatform, "waits", gate := threading.Event())
    desk.write(5)
    questions = desk.selected
    saved: list[Any] = []
    first = threading.Thread(target=lambda: saved.extend(at_once(lambda: Desk(desk.user).save(questions))))
    first.start()
    eventually(lambda: FaultyPlatform.calls.get("create_library_block"))
    provider.always(Say(reply(question(display_name="Newer"))))
    desk.write(1)
    gate.set()
    first.join()
    assert saved[0]["saved"] == 5
    assert [made["display_name"] for made in desk.selected] == ["Newer"]


def test_cleared_while_written_stays_cleared(desk, provider):
    with slow(provider, lambda: Desk(desk.user).write(5)) as written:
        desk.do("clear_session")
    assert len(written[0]["question_slots"]) == 5
    assert desk.current is None
