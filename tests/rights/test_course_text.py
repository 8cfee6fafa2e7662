"""What staff are shown of the text that a model reads: ``GET course-text/`` and ``manage.py ai_course_text``."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from tests.api.conftest import Api, error_of
from tests.conftest import SLOT
from tests.rights.course import (
    ANSWER,
    COHORTS,
    ELSEWHERE,
    MAIN,
    OPEN,
    OTHER,
    QUESTION,
    STAFF_ONLY,
    UNRELEASED,
    key,
)

HERE = {"locationId": str(key("vertical/mixed"))}
COURSE = {"courseId": str(MAIN)}
MESSAGES = {
    "answers": "This person cannot see its answers, hints and explanations.",
    "closed": "This person cannot see it or its contents.",
    "trimmed": "The text would be longer than allowed. All or part of it was left out.",
}

pytestmark = pytest.mark.usefixtures("backend")


@pytest.fixture
def everybody(learner, author, stranger, admin_user):
    other_author = get_user_model().objects.create_user("other_author", "other@example.com", "other_author")
    people = [learner, author, stranger, admin_user, other_author]
    return {user.username: user for user in people} | {"nobody": None}


def reasons(body):
    """Block id and reason of each entry, whose other fields must fit."""
    for entry in body["left_out"]:
        assert set(entry) == {"location_id", "block_type", "reason", "message"}
        assert f"+type@{entry['block_type']}+" in entry["location_id"]
        assert entry["message"] == MESSAGES[entry["reason"]]
    return [(entry["location_id"].rpartition("@")[2], entry["reason"]) for entry in body["left_out"]]


def test_the_shape(author):
    response = Api(author).course_text(HERE)
    assert response.status_code == 200, response.content
    body = response.json()
    assert set(body) == {"text", "characters", "left_out", "timestamp"}
    assert body["text"].startswith(f"# Mixed\n\n{COHORTS}\n\n")
    assert body["characters"] == len(body["text"])
    assert reasons(body) == [("problem", "answers")]
    assert ANSWER not in response.content.decode()


@pytest.mark.parametrize(
    ("username", "context", "status", "code"),
    [
        pytest.param("author", HERE, 200, None, id="course staff"),
        pytest.param("author", COURSE, 200, None, id="course staff, of the whole course"),
        pytest.param("admin", HERE, 200, None, id="site staff"),
        pytest.param("learner", HERE, 403, "permission_denied", id="a learner"),
        pytest.param("learner", {"locationId": str(key("html/later"))}, 403, "permission_denied", id="or elsewhere"),
        pytest.param("stranger", HERE, 403, "permission_denied", id="a stranger"),
        pytest.param("other_author", HERE, 403, "permission_denied", id="staff of another course"),
        pytest.param("nobody", HERE, 401, "not_authenticated", id="nobody"),
        pytest.param("author", {"courseId": str(OTHER)}, 403, "permission_denied", id="a course that others staff"),
        pytest.param("author", {}, 403, "permission_denied", id="staff of a course, nowhere"),
        pytest.param("admin", {}, 400, "validation_error", id="site staff, nowhere"),
        pytest.param("admin", {"courseId": "course-v1:No+Such+r1"}, 403, "permission_denied", id="no such course"),
        pytest.param("admin", {"locationId": str(key("html/none"))}, 403, "permission_denied", id="no such place"),
    ],
)
def test_who_may_read(everybody, username, context, status, code):
    response = Api(everybody[username]).course_text(context)
    assert response.status_code == status
    if code:
        assert error_of(response) == (status, code)


@pytest.mark.parametrize(
    ("query", "secrets"),
    [
        pytest.param({}, {COHORTS}, id="the unit"),
        pytest.param({"retrieval_mode": "unit"}, {COHORTS}, id="the unit, said"),
        pytest.param({"retrieval_mode": "sequence"}, {COHORTS, STAFF_ONLY}, id="the sequence"),
        pytest.param({"retrieval_mode": "up_to_current_unit"}, {COHORTS, STAFF_ONLY}, id="all up to here"),
    ],
)
def test_it_is_what_the_model_reads(author, provider, make_scope, query, secrets):
    config = {"OpenEdXProcessor": query, "LLMProcessor": {"stream": False}}
    make_scope(course_id=None, patch={"processor_config": config})
    Api(author).run(context={**HERE, "uiSlotSelectorId": SLOT})
    [request] = provider.requests
    text = Api(author).course_text(HERE, **query).json()["text"]
    assert f"<course_content>\n{text}\n</course_content>" in request["messages"][0]["content"]
    assert {secret for secret in (COHORTS, STAFF_ONLY, UNRELEASED, ANSWER, ELSEWHERE) if secret in text} == secrets


def test_a_course_stands_for_all_its_units(author):
    text = Api(author).course_text(COURSE).json()["text"]
    assert all(words in text for words in (OPEN, STAFF_ONLY, COHORTS, QUESTION, UNRELEASED))
    assert "what somebody wrote" not in text


def test_what_is_trimmed_is_named(author):
    body = Api(author).course_text(COURSE, char_limit=100).json()
    assert len(body["text"]) <= 100
    assert OPEN in body["text"]
    assert reasons(body) == [
        ("problem", "answers"), ("problem", "trimmed"), ("later", "trimmed"), ("last", "trimmed"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"retrieval_mode": "everything"}, id="a mode that there is not"),
        pytest.param({"char_limit": "0"}, id="no room"),
        pytest.param({"char_limit": "-1"}, id="less than none"),
        pytest.param({"char_limit": "many"}, id="no number"),
        pytest.param({"char_limit": "9" * 50}, id="beyond reason"),
    ],
)
def test_bad_questions(author, query):
    response = Api(author).course_text(HERE, **query)
    assert error_of(response) == (400, "validation_error")
    assert next(iter(query)) in response.json()["error"]["message"]


def command(*arguments) -> list[str]:
    out = StringIO()
    call_command("ai_course_text", *arguments, stdout=out)
    return out.getvalue().splitlines()


def entry(name: str, reason: str) -> str:
    return f"{key(name)} {reason}: {MESSAGES[reason]}"


def test_the_command_shows_what_a_learner_gets(learner):
    lines = command(HERE["locationId"], "--user", "learner", "--retrieval-mode", "up_to_current_unit")
    text = "\n".join(lines[: lines.index("left out: 3") - 2])
    assert (OPEN in text, QUESTION in text, "secret" in text) == (True, True, False)
    assert lines[-4:] == [
        "left out: 3",
        entry("problem/problem", "answers"),
        entry("vertical/staff", "closed"),
        entry("html/cohort", "closed"),
    ]
    assert lines[-5] == f"characters: {len(text)}"


def test_the_command_shows_what_staff_get(author):
    lines = command(HERE["locationId"], "--user", "author", "--char-limit", "40")
    assert lines[0] == "# Mixed"
    assert lines[-2:] == [entry("problem/problem", "answers"), entry("problem/problem", "trimmed")]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param([HERE["locationId"], "--user", "nobody"], "no user with the username nobody", id="nobody"),
        pytest.param(["rubbish", "--user", "learner"], "location is not a location", id="no key"),
        pytest.param([str(key("html/later")), "--user", "learner"], "is not open to you", id="a closed place"),
        pytest.param([HERE["locationId"], "--user", "learner", "--char-limit", "0"], "char_limit", id="no room"),
        pytest.param([HERE["locationId"], "--user", "stranger"], "is not open to you", id="a stranger"),
        pytest.param([HERE["locationId"]], "--user", id="for whom?"),
    ],
)
def test_the_command_refuses(learner, stranger, arguments, words):
    with pytest.raises(CommandError, match=words):
        command(*arguments)
