"""What a client sends for an action may be anything: every action refuses it, or makes do with it; none has a fault."""

import json
from itertools import product

import pytest

from openedx_ai_extensions.workflows.orchestrators import BUILT_IN
from tests.api.conftest import Api, error_of
from tests.processors.openedx.quiz import question
from tests.workflows.async_runs.conftest import use_broker  # noqa: F401  # a fixture

LIBRARY = "lib:OpenedX:quizzes"
# A model that can do everything: what each processor needs of it, in one answer.
SAYS = json.dumps(
    {
        "cards": [{"question": "What does chlorophyll do?", "answer": "It takes in light."}],
        "collection_name": "Light",
        "questions": [question("stringresponse")],
    }
)
INVALID = {(400, "validation_error"), (400, "parse_error")}
INT64 = 2**63 - 1

READABLE = [-1, 1.5, 1e30, INT64, 2**31, True, 0]
NUMBERS = [*READABLE, -INT64 - 2, INT64 + 1, 10**30, 10**4_000]
OTHERS = [None, [], [None], {}, {"": {}}, {"text": 1}, "\0\ud800"]
TEXTS = ["", "1e30", "9" * 5_000, '{"current_messages": 1e30}', "[" * 5_000]
ANYTHING = [*NUMBERS, *OTHERS, *TEXTS]

GOOD = {
    "num_questions": 1, "extra_instructions": "Short ones.", "library_id": LIBRARY, "question_index": 0,
    "questions": [question()], "collection_name": "Light", "collection_key": "", "publish": False,
}  # fmt: skip
# An action's input that is right but for one field.
FIELDS = {
    ("EducatorAssistantOrchestrator", "run"): ("num_questions", "extra_instructions", "library_id"),
    ("EducatorAssistantOrchestrator", "regenerate_question"): ("question_index", "extra_instructions"),
    ("EducatorAssistantOrchestrator", "save"): (
        "library_id", "questions", "collection_name", "collection_key", "publish",
    ),
    ("FlashCardsOrchestrator", "run"): ("num_cards",),
    ("FlashCardsOrchestrator", "save"): ("cards", "card_stack"),
    ("ThreadedLLMResponse", "run"): ("text",),
    ("ThreadedLLMResponse", "lazy_load_chat_history"): ("current_messages",),
}  # fmt: skip
LEARNT = ("id", "next_review_time", "ease_factor", "repetitions", "last_reviewed_at")
TEMPLATES = {
    "ThreadedLLMResponse": "base/chat.json5",
    "EducatorAssistantOrchestrator": "base/quiz.json5",
    "FlashCardsOrchestrator": "base/flashcards.json5",
}


def one_wrong(orchestrator: str, action: str):
    """Inputs of which one field is anything."""
    names = FIELDS.get((orchestrator, action), ())
    right = {name: GOOD[name] for name in names if name in GOOD}
    yield from ({**right, name: value} for name, value in product(names, ANYTHING))


@pytest.fixture
def api(author, provider, make_scope, settings, tmp_path, use_broker):  # noqa: F811
    """An author of the course, at a place where an orchestrator is at work. Runs in the background wait."""
    use_broker("memory://")
    provider.reply(SAYS)
    settings.AI_EXTENSIONS_STANDALONE_LIBRARIES = {LIBRARY: {"path": tmp_path / "library", "editors": ["author"]}}

    def at(orchestrator: str) -> Api:
        make_scope(
            base_filepath=TEMPLATES.get(orchestrator, "base/summary.json5"), patch={"orchestrator_class": orchestrator}
        )
        return Api(author)

    return at


def send(api: Api, action: str, user_input):
    response = api.run(user_input, action=action, headers={"Accept": "application/json"})
    assert response.status_code < 500, (action, user_input, response.content)
    if response.status_code != 200:
        error_of(response)
    else:
        assert response.json()
    return response


@pytest.mark.parametrize(
    ("orchestrator", "action"), [(name, action) for name, found in BUILT_IN.items() for action in sorted(found.actions)]
)
def test_no_input_of_an_action_is_a_fault(api, caplog, orchestrator, action):
    client = api(orchestrator)
    if action == "regenerate_question":
        send(client, "run", {"num_questions": 1})
    takes_words = action in {"run", "run_async", "simple_button_assistance"}  # nothing is wrong with any text then
    for user_input in (*NUMBERS, *OTHERS, *(() if takes_words else TEXTS), *one_wrong(orchestrator, action)):
        send(client, action, user_input)
    assert "request.failed" not in caplog.text


def test_no_field_of_a_card_is_a_fault(api, caplog):
    client = api("FlashCardsOrchestrator")
    (card,) = send(client, "run", None).json()["response"]
    for name, value in product(LEARNT, ANYTHING):
        send(client, "save", {"cards": [{**card, name: value}]})
    assert send(client, "get_current_session_response", None).json()["cards"]
    assert "request.failed" not in caplog.text


def test_no_field_of_a_question_is_a_fault(api, caplog):
    client = api("EducatorAssistantOrchestrator")
    for name in question():
        questions = [{**question("numericalresponse"), name: value} for value in (*READABLE, *OTHERS, *TEXTS)]
        send(client, "save", {"library_id": LIBRARY, "questions": questions})
    assert "request.failed" not in caplog.text


@pytest.mark.parametrize(
    ("orchestrator", "action", "field", "fine"),
    [
        pytest.param("EducatorAssistantOrchestrator", "run", "num_questions", (), id="num_questions"),
        pytest.param("EducatorAssistantOrchestrator", "regenerate_question", "question_index", (), id="question_index"),
        pytest.param("FlashCardsOrchestrator", "run", "num_cards", (None, ""), id="num_cards"),
        pytest.param("ThreadedLLMResponse", "lazy_load_chat_history", "current_messages", (), id="current_messages"),
    ],
)
def test_what_is_no_sensible_number_is_refused(api, orchestrator, action, field, fine):
    client = api(orchestrator)
    if action == "regenerate_question":
        send(client, "run", {"num_questions": 1})
    for value in ANYTHING:
        if value not in (0, *fine):
            response = send(client, action, {field: value})
            assert error_of(response) in INVALID, value


@pytest.mark.parametrize("form", [str, lambda number: json.dumps({"current_messages": number}), int])
def test_every_form_of_the_number_of_messages(api, form):
    client = api("ThreadedLLMResponse")
    for number, status in [(0, 200), (5, 200), (-1, 400), (2**31, 400), (INT64, 400), (10**30, 400)]:
        assert send(client, "lazy_load_chat_history", form(number)).status_code == status, number
    assert send(client, "lazy_load_chat_history", "1e30").status_code == 400


@pytest.mark.parametrize(
    "value", ["0", "-1", "1.5", "1e30", "9" * 30, "9" * 5_000, str(INT64), "five", "\0", "٣", "²", "1_000"]
)
def test_numbers_of_a_query(author, value):
    assert error_of(Api(author).course_text(char_limit=value)) == (400, "validation_error")
