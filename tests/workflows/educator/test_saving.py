"""Questions into a content library: wholly or not at all, once, and only by who may."""

from __future__ import annotations

import json

import pytest

from tests.api.conftest import Api, error_of
from tests.fakes.steps import Say
from tests.processors.openedx.quiz import INJECTIONS, choices, injected, question
from tests.workflows.educator.conftest import Desk, five, reply
from tests.workflows.educator.library import KEY, OTHER, FaultyPlatform

URL = f"authoring/library/{KEY}/collection/"


@pytest.fixture
def faults(settings, monkeypatch):
    """Where the library fails: a function of how often the method was called before."""
    settings.AI_EXTENSIONS_BACKEND = f"{FaultyPlatform.__module__}.{FaultyPlatform.__name__}"
    monkeypatch.setattr(FaultyPlatform, "faults", found := {})
    monkeypatch.setattr(FaultyPlatform, "calls", {})
    return found


def test_what_was_reviewed_is_saved_to_a_new_collection(desk, library):
    desk.write(5)
    answer = desk.save(desk.selected, collection_name="Light and leaves")
    ((key, collection),) = library.collections.items()
    assert answer == {"status": "completed", "response": URL + key, "saved": 5, "failed": []}
    assert collection["title"] == "Light and leaves"
    assert len(library.problems) == 5
    assert library.is_whole
    assert library.published == []
    assert desk.current == URL + key


def test_the_models_own_name_is_the_collections(desk, library):
    desk.write(5)
    desk.save(desk.selected)
    assert [collection["title"] for collection in library.collections.values()] == ["Light"]


def test_without_a_session_too(desk, library):
    desk.save([question()])
    assert library.is_whole
    assert len(library.problems) == 1


def test_what_the_author_changed_is_what_is_saved(desk, library):
    desk.write(5)
    questions = desk.selected
    questions[0]["question_html"] = "<p>Mine & <b>own</b>?</p>"
    questions[3]["answer_value"] = 42
    desk.save(questions)
    assert any("Mine &amp; <b>own</b>?" in olx for olx in library.problems)
    assert any('answer="42"' in olx for olx in library.problems)


def test_to_a_collection_that_exists(desk, library):
    key = desk.save([question()], collection_name="First")["response"].rpartition("/")[2]
    answer = desk.save([question("stringresponse")], collection_key=key)
    assert answer["response"] == URL + key
    assert len(library.collections) == 1
    assert len(library.collections[key]["blocks"]) == 2


def test_to_a_collection_that_does_not_exist(desk, library):
    response = desk.api.run({"library_id": KEY, "questions": five(), "collection_key": "no-such"}, action="save")
    assert error_of(response) == (400, "validation_error")
    assert [failure["index"] for failure in response.json()["error"]["failed"]] == [0, 1, 2, 3, 4]
    assert library.problems == []
    assert library.collections == {}


def test_published_when_asked(desk, library):
    answer = desk.save(five(), publish=True)
    assert answer["published"] is True
    assert library.published == library.problems
    assert len(library.published) == 5


def test_a_run_with_a_library_saves_at_once(desk, library, tracked):
    answer = desk.do("run", {"num_questions": 5, "library_id": KEY})
    ((key, collection),) = library.collections.items()
    assert answer == {"status": "completed", "response": URL + key, "saved": 5, "failed": []}
    assert (collection["title"], len(library.problems)) == ("Light", 5)
    assert desk.current == URL + key
    assert [event["data"]["action"] for event in tracked] == ["run"]


def test_saved_twice_is_saved_once(desk, library):
    desk.write(5)
    questions = desk.selected
    first = desk.save(questions)
    assert desk.save(questions) == first
    assert len(library.problems) == 5
    assert len(library.collections) == 1


def test_to_another_collection_it_is_saved_again(desk, library):
    desk.save(five(), collection_name="One")
    desk.save(five(), collection_name="Two")
    assert len(library.collections) == 2
    assert len(library.problems) == 10
    assert library.is_whole


def test_questions_that_cannot_be_saved_are_named_and_stay_in_review(desk, library):
    desk.write(5)
    questions = desk.selected
    questions[1]["choices"] = choices(("only one", True))
    questions[3] = "no question"
    answer = desk.save(questions)
    assert answer["saved"] == 3
    assert [failure["index"] for failure in answer["failed"]] == [1, 3]
    assert all(failure["message"] for failure in answer["failed"])
    assert library.is_whole
    assert len(library.problems) == 3
    assert len(desk.selected) == 5
    questions[1], questions[3] = question(display_name="Mended 1"), question(display_name="Mended 3")
    mended = desk.save(questions)
    assert (mended["saved"], mended["failed"], mended["response"]) == (5, [], answer["response"])
    assert len(library.problems) == 5
    assert len(library.collections) == 1
    assert desk.current == answer["response"]


def test_when_no_question_is_one_the_client_is_told_so(desk, library):
    questions = ["no question", {**question(), "choices": []}]
    response = desk.api.run({"library_id": KEY, "questions": questions}, action="save")
    assert error_of(response) == (400, "validation_error")
    assert [failure["index"] for failure in response.json()["error"]["failed"]] == [0, 1]
    assert library.problems == []


@pytest.mark.parametrize("method", ["create_library_block", "save_in_collection"])
def test_what_fails_leaves_nothing_half_made(desk, library, faults, method):
    faults[method] = lambda number: number in {1, 3}
    answer = desk.save(five())
    assert answer["saved"] == 3
    assert answer["failed"] == [{"index": index, "message": f"{method} says no."} for index in (1, 3)]
    assert len(library.problems) == 3
    assert library.is_whole
    faults.clear()
    assert desk.save(five())["saved"] == 5
    assert len(library.problems) == 5
    assert library.is_whole


@pytest.mark.parametrize("method", ["create_library_block", "save_in_collection"])
def test_when_all_fail_that_is_an_error(desk, library, faults, method):
    desk.write(5)
    faults[method] = lambda _number: True
    response = desk.api.run({"library_id": KEY, "questions": desk.selected}, action="save")
    assert error_of(response) == (500, "processor_error")
    assert response.json()["error"]["message"] == [f"{method} says no."]
    assert len(response.json()["error"]["failed"]) == 5
    assert library.problems == []
    assert len(desk.selected) == 5


def test_a_block_that_cannot_be_taken_back_is_named(desk, library, faults):
    faults["save_in_collection"] = faults["delete_library_block"] = lambda number: number == 0
    answer = desk.save(five()[:2])
    assert answer["saved"] == 1
    assert "lb:OpenedX:quizzes:problem:ai-" in answer["failed"][0]["message"]


def test_saved_but_not_published_says_so(desk, library, faults):
    faults["publish_library"] = lambda number: number == 0
    answer = desk.save(five(), publish=True)
    assert (answer["saved"], answer["published"], answer["message"]) == (5, False, "publish_library says no.")
    assert desk.save(five(), publish=True)["published"] is True
    assert len(library.problems) == len(library.published) == 5


def test_a_fault_of_ours_leaves_nothing_half_made_either(desk, library, faults):
    def broken(number):
        if number == 1:
            raise KeyError("a fault")
        return False

    faults["save_in_collection"] = broken
    assert desk.refused("save", {"library_id": KEY, "questions": five()}) == (500, "internal_error")
    assert len(library.problems) == 1
    assert library.is_whole
    assert desk.save(five())["saved"] == 5
    assert len(library.problems) == 5


@pytest.mark.parametrize("payload", INJECTIONS)
def test_nothing_active_gets_into_a_library(desk, library, payload):
    desk.save([injected(kind, payload) for kind in ("multiplechoiceresponse", "choiceresponse", "optionresponse")])
    assert len(library.problems) == 3
    for olx in library.problems:
        for tag in ("<script", "<img", "<svg", "<iframe", "<a ", "<style", "<math", "<!"):
            assert tag not in olx


@pytest.mark.parametrize("who", ["learner", "stranger", "author"])
@pytest.mark.parametrize("library_id", [KEY, OTHER, "lib:OpenedX:no-such"])
@pytest.mark.parametrize("action", ["save", "run"])
def test_only_who_may_edit_a_library_saves_to_it(desk, library, provider, request, who, library_id, action):
    if (who, library_id) == ("author", KEY):
        return
    user_input = {"library_id": library_id, "questions": "nonsense", "num_questions": 1}
    assert Desk(request.getfixturevalue(who)).refused(action, user_input) == (403, "permission_denied")
    assert provider.requests == []
    assert library.problems == []


def test_site_staff_may(desk, library, admin_user):
    Desk(admin_user).save([question()])
    assert len(library.problems) == 1


def test_an_editor_who_has_gone_may_not(desk, library, author, settings):
    desk.write(5)
    entry = settings.AI_EXTENSIONS_STANDALONE_LIBRARIES[KEY]
    settings.AI_EXTENSIONS_STANDALONE_LIBRARIES = {KEY: {**entry, "editors": []}}
    assert desk.refused("save", {"library_id": KEY, "questions": desk.selected}) == (403, "permission_denied")


INPUTS = [
    pytest.param(None, id="nothing"),
    pytest.param([], id="a list"),
    pytest.param({"questions": [question()]}, id="no library"),
    pytest.param({"library_id": "course-v1:A+B+C", "questions": [question()]}, id="a course"),
    pytest.param({"library_id": "library-v1:A+B", "questions": [question()]}, id="an old library"),
    pytest.param({"library_id": 5, "questions": [question()]}, id="a number"),
    pytest.param({"library_id": KEY}, id="no questions"),
    pytest.param({"library_id": KEY, "questions": []}, id="none"),
    pytest.param({"library_id": KEY, "questions": {"0": {}}}, id="an object of questions"),
    pytest.param({"library_id": KEY, "questions": [1] * 101}, id="too many"),
    pytest.param({"library_id": KEY, "questions": [question()], "publish": "yes"}, id="publish as a text"),
    pytest.param({"library_id": KEY, "questions": [question()], "collection_name": 5}, id="a name that is a number"),
    pytest.param({"library_id": KEY, "questions": [question()], "collection_name": "x" * 201}, id="a long name"),
    pytest.param({"library_id": KEY, "questions": [question()], "collection_key": ["a"]}, id="a key that is a list"),
]


@pytest.mark.parametrize("user_input", INPUTS)
def test_input_that_makes_no_sense_is_refused(desk, library, user_input):
    assert desk.refused("save", user_input) == (400, "validation_error")
    assert library.problems == []


@pytest.mark.parametrize("key", ["../../etc/passwd", ".", "a/b", "x\u0000y"])
def test_a_key_leads_nowhere_else(desk, library, key):
    refused = desk.refused("save", {"library_id": KEY, "questions": [question()], "collection_key": key})
    assert refused == (400, "validation_error")
    assert library.problems == []


def test_a_new_run_after_a_save_is_reviewed_and_saved_anew(desk, library, provider):
    desk.write(5)
    desk.save(desk.selected)
    provider.always(Say(reply(question(display_name="Second"), name="Light")))
    desk.write(1)
    assert [made["display_name"] for made in desk.selected] == ["Second"]
    desk.save(desk.selected)
    assert len(library.problems) == 6
    assert library.is_whole


def test_the_same_request_sent_again_saves_nothing_twice(desk, library):
    body = json.dumps({"action": "save", "user_input": {"library_id": KEY, "questions": five()}, "request_id": "one"})
    first, second = (Api(desk.user).post(body) for _number in range(2))
    assert first.json() == second.json()
    assert len(library.problems) == 5
