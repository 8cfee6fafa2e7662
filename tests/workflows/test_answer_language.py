"""The language in which a model is asked to write."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from django.utils import translation

from openedx_ai_extensions.prompts.builtin import builtin_prompt
from openedx_ai_extensions.tasks import run_workflow
from tests.api.conftest import Api, text_of
from tests.fakes.steps import Say
from tests.settings import AI_EXTENSIONS_STANDALONE
from tests.workflows.async_runs.conftest import person, use_broker
from tests.workflows.educator.conftest import five, reply
from tests.workflows.flashcards.conftest import cards

__all__ = ["person", "use_broker"]

FOLLOWS = builtin_prompt("language")
SOFTLY = "Write in {}, unless the task above names another language or the learner writes in another one."
FIRMLY = "Write in {}, also when the learner writes in another language."


@pytest.fixture
def ask(learner, provider):
    """Ask in a language; returns the system prompt."""

    def ask(language: str, user: Any = learner, **body: Any) -> str:
        response = Api(user, headers={"Accept-Language": language}).run(**body)
        assert response.status_code == 200
        if response.streaming:
            text_of(response)
        return rule_in(provider)[0]

    return ask


def rule_in(provider: Any) -> tuple[str, str]:
    """The last system prompt, and the rule in it about the language."""
    system = provider.requests[-1]["messages"][0]["content"]
    return system, system.split("Ground rules:\n- ")[1].split("\n")[0]


def llm(**config: Any) -> dict[str, Any]:
    return {"processor_config": {"LLMProcessor": config}}


@pytest.mark.parametrize(
    ("config", "language", "rule"),
    [
        pytest.param({}, "en", FOLLOWS, id="the learner's, which is the course's"),
        pytest.param({}, "en-us", FOLLOWS, id="the learner's, which is the course's in a country"),
        pytest.param({}, "es", SOFTLY.format("Spanish"), id="the learner's"),
        pytest.param({}, "es-419", SOFTLY.format("Spanish (es-419)"), id="the learner's, of a country"),
        pytest.param({}, "zh-hant", SOFTLY.format("Traditional Chinese"), id="the learner's, in a script"),
        pytest.param({"language": "learner"}, "ar", SOFTLY.format("Arabic"), id="the learner's, as is said"),
        pytest.param({"language": "course"}, "es", FIRMLY.format("English"), id="the course's"),
        pytest.param({"language": "fr"}, "es", FIRMLY.format("French"), id="one language"),
        pytest.param({"language": "pt_BR"}, "en", FIRMLY.format("Brazilian Portuguese"), id="of a country"),
        pytest.param(
            {"language": "fil"}, "es", FIRMLY.format("the language with the code fil"), id="one that Django cannot name"
        ),
        pytest.param({"language": None}, "es", SOFTLY.format("Spanish"), id="removed by a patch"),
    ],
)
def test_which_language(ask, make_scope, provider, settings, config, language, rule):
    settings.LANGUAGES = [*settings.LANGUAGES, ("es-419", "Latin American Spanish"), ("en-us", "American English")]
    make_scope(patch=llm(**config))
    ask(language)
    assert rule_in(provider)[1] == rule


@pytest.mark.parametrize(
    ("declared", "site", "language", "rule"),
    [
        pytest.param("es", "en", "es", FOLLOWS, id="the learner's is the course's"),
        pytest.param("es", "en", "en", SOFTLY.format("English"), id="an English learner in a Spanish course"),
        pytest.param("", "en", "en", FOLLOWS, id="a course that declares none is in the site's"),
        pytest.param("", "es", "en", SOFTLY.format("English"), id="and not in another"),
        pytest.param("zh_HANS", "en", "zh-hans", FOLLOWS, id="as the platform writes it"),
    ],
)
def test_the_language_of_the_course(ask, make_scope, provider, settings, tmp_path, declared, site, language, rule):
    (entry,) = AI_EXTENSIONS_STANDALONE["COURSES"]
    folder = tmp_path / "course"
    shutil.copytree(entry["path"], folder)
    for name, was in (("policies/demo/policy.json", '"language": "{}"'), ("course/demo.xml", 'language="{}"')):
        text = (folder / name).read_text("utf-8")
        (folder / name).write_text(text.replace(was.format("en"), was.format(declared)), "utf-8")
    settings.AI_EXTENSIONS_STANDALONE = {"COURSES": [{**entry, "path": folder}]}
    settings.LANGUAGE_CODE = site
    make_scope()
    ask(language)
    assert rule_in(provider)[1] == rule


def test_the_prompt_of_a_conversation_stays_the_same(ask, make_scope, learner):
    """Or a provider's prompt cache would not find it."""
    make_scope(base_filepath="base/chat.json5")
    first, second = (ask("es", user_input=text) for text in ("Hola", "¿Por qué?"))
    assert first == second
    assert SOFTLY.format("Spanish") in first
    assert ask("en", user_input="Why?") == first.replace(SOFTLY.format("Spanish"), FOLLOWS)


def test_a_run_in_the_background_is_in_the_language_of_its_request(person, provider):
    person.api = Api(person.user, headers={"Accept-Language": "es"})
    task_id = person.start({"num_cards": 1})
    translation.activate("en")
    provider.then(Say(cards("¿Qué?")))
    run_workflow(task_id)
    assert rule_in(provider)[1] == SOFTLY.format("Spanish")
    assert translation.get_language() == "en"


@pytest.mark.parametrize(
    ("config", "rule"),
    [
        pytest.param({}, FOLLOWS, id="of the author's instructions, or of the course"),
        pytest.param({"language": "course"}, FIRMLY.format("English"), id="the course's"),
        pytest.param({"language": "learner"}, SOFTLY.format("Spanish"), id="the author's"),
    ],
)
def test_questions_are_for_learners_of_the_course(ask, make_scope, author, provider, config, rule):
    make_scope(base_filepath="base/quiz.json5", patch={"processor_config": {"EducatorAssistantProcessor": config}})
    provider.then(Say(reply(*five())))
    ask("es", author, user_input={"num_questions": 5})
    assert rule_in(provider)[1] == rule


def test_a_language_that_does_not_exist_is_a_warning(make_scope, provider):
    (problem,) = make_scope(patch=llm(language="sp")).profile.problems()
    assert (problem.path, problem.severity) == ("$.processor_config.LLMProcessor.language", "warning")
    assert "There is no language with the code “sp”" in problem.text
