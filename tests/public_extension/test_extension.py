"""An extension in the shape of the public implementation's runs unchanged, and in the bounds of our own workflows."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from pydantic import BaseModel

from openedx_ai_extensions.core.hooks import Severity
from openedx_ai_extensions.models import AINotice, AIWorkflowProfile, AIWorkflowRun, AIWorkflowSession
from openedx_ai_extensions.processors import LLMProcessor
from tests.api.conftest import HERE as SLOT_HERE
from tests.api.conftest import error_of
from tests.conftest import COURSE_ID, SECRET, UNIT_ID, from_learner
from tests.fakes.steps import CallTools, Fail, Say, ToolCall
from tests.public_extension.conftest import HERE, text_of
from tests.public_extension.processors import CoachProcessor
from tests.waiting import eventually

pytestmark = pytest.mark.django_db

JSON = {"accept": "application/json"}
COMPLETED = "openedx.ai.workflow.completed"
WARNS = pytest.mark.filterwarnings("ignore:Use ask:DeprecationWarning")


@WARNS
class TestACoach:
    """Session-based, with a processor that asks by the older private name."""

    def test_answers(self, serve, learner_api, provider):
        serve()
        provider.reply("Water them.")
        assert text_of(learner_api.run("What now?")) == {"response": "Water them.", "status": "completed"}
        (request,) = provider.requests
        system, words = request["messages"]
        assert system["content"].startswith("You coach gardeners.")
        assert "<course_content>" in system["content"]
        assert words == from_learner("What now?")

    @pytest.mark.parametrize("user_input", ["What?", {"text": "What?"}], ids=["text", "object"])
    def test_takes_the_input_as_it_came(self, serve, learner_api, provider, user_input):
        serve()
        learner_api.run(user_input)
        assert provider.requests[0]["messages"][-1] == from_learner("What?")

    def test_remembers(self, serve, learner_api, provider, learner):
        serve()
        for _time in range(2):
            learner_api.run("What?")
        session = AIWorkflowSession.objects.get(user=learner)
        assert session.metadata == {"asked": 2, "title": "Sunlight, water and air"}
        answer = text_of(learner_api.run(action="get_current_session_response"))
        assert answer == {"response": 2, "status": "completed"}
        text_of(learner_api.run(action="clear_session"))
        assert text_of(learner_api.run(action="get_current_session_response"))["response"] is None

    def test_is_in_the_ledger_and_in_the_learning_record_once(self, serve, learner_api, provider, tracked):
        serve()
        learner_api.run("What?")
        learner_api.run(action="get_current_session_response")
        row = AIWorkflowRun.objects.get()
        assert (row.action, row.profile_slug, row.outcome, row.calls) == ("run", "coach", "completed", 1)
        assert (row.prompt_tokens, row.completion_tokens) == (12, 4)
        (event,) = tracked
        assert event["name"] == COMPLETED
        assert event["data"]["usage"]["total_tokens"] == 16
        assert (event["data"]["action"], event["data"]["location_id"]) == ("run", UNIT_ID)

    def test_is_within_limits(self, serve, learner_api, provider, settings):
        settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "day", "requests": 1}]
        serve()
        assert learner_api.run("What?").status_code == 200
        assert error_of(learner_api.run("What?")) == (429, "quota_exceeded")
        assert len(provider.requests) == 1

    def test_waits_for_consent(self, serve, learner_api, provider):
        serve()
        AINotice.objects.create(text="We send what you say to a company.")
        assert error_of(learner_api.run("What?")) == (403, "consent_required")
        assert learner_api.run(action="get_current_session_response").status_code == 200
        assert not provider.requests

    def test_is_moderated(self, serve, learner_api, provider, settings):
        settings.AI_EXTENSIONS_MODERATORS = {"words": {"KIND": "words", "WORDS": ["secret"]}}
        settings.AI_EXTENSIONS_MODERATION = {"before": ["words"], "after": ["words"]}
        serve()
        assert learner_api.run("a secret").status_code != 200
        assert not provider.requests
        provider.reply("It is secret.")
        assert learner_api.run("What?").status_code != 200

    def test_asks_only_where_the_learner_may_be(self, serve, learner_api, provider):
        serve()
        notes = {**SLOT_HERE, "locationId": UNIT_ID.replace("unit_sunlight", "unit_teacher_notes")}
        assert error_of(learner_api.run("What?", context=notes)) == (403, "permission_denied")
        assert not provider.requests

    @pytest.mark.django_db(transaction=True)  # tools run in threads of their own
    def test_has_its_tools(self, serve, learner_api, provider):
        serve(enabled_tools=["count_words", "get_context"])
        provider.then(CallTools(ToolCall("count_words", {"text": "a b c"}), ToolCall("get_context")), Say("Three."))
        assert text_of(learner_api.run("How many?"))["response"] == "Three."
        results = [message["content"] for message in provider.requests[1]["messages"] if message["role"] == "tool"]
        assert "3 words" in results[0]
        assert UNIT_ID in results[1]

    def test_a_failing_provider_is_told_as_ever(self, serve, learner_api, provider, settings):
        settings.AI_EXTENSIONS_MAX_RETRIES = 0
        serve()
        provider.then(Fail(500))
        assert error_of(learner_api.run("What?")) == (503, "service_unavailable")
        assert AIWorkflowRun.objects.get().outcome == "failed"

    def test_on_trial_nothing_is_stored(self, serve, client, admin_user, provider):
        profile = serve().profile
        client.force_login(admin_user)
        data = {"try": "1", "model": "real", "profile": profile.pk, "course": "course-v1:OpenedX+AIX+demo",
                "location": UNIT_ID}  # fmt: skip
        client.post("/admin/openedx_ai_extensions/aitryit/", data)
        assert len(provider.requests) == 1
        assert not AIWorkflowSession.objects.exists()

    @pytest.mark.parametrize(
        "action", ["helper", "save", "_remember", "_private", "session", "coach", "result", "stream", "ask", "actions"]
    )
    def test_publishes_nothing_else(self, serve, learner_api, action):
        serve()
        assert error_of(learner_api.run("x", action=action)) == (400, "unknown_action")


class TestAProcessor:
    @pytest.fixture
    def ask(self, provider):
        def process(function, **extra):
            section = {"function": function, "audience": "gardeners"}
            processor = CoachProcessor({"CoachProcessor": section}, extra_params=extra.pop("extra", None))
            return processor.process(context="Leaves.", input_data="What?", **extra)

        return process

    def test_asks_by_the_older_name_with_a_warning(self, ask):
        with pytest.warns(DeprecationWarning, match="ask"):
            answer = ask("coach")
        assert answer.keys() >= {"response", "usage", "model_used", "status"}
        assert (answer["response"], answer["status"]) == ("Hello from the model.", "completed")

    @WARNS
    def test_has_parameters_for_the_model(self, ask, provider):
        ask("coach_as_json")
        assert provider.requests[0]["response_format"] == {"type": "json_object"}

    @WARNS
    def test_has_a_pydantic_model_as_the_form_of_the_answer(self, ask, provider):
        class Plan(BaseModel):
            steps: list[str]

        ask("coach", extra={"response_format": Plan})
        (request,) = provider.requests
        form = request["response_format"]["json_schema"]
        assert (form["name"], form["schema"]["required"]) == ("Plan", ["steps"])

    @WARNS
    def test_has_parameters_from_its_caller(self, ask, provider):
        ask("coach", extra={"temperature": 0.5, "audience": "cooks"})
        (request,) = provider.requests
        assert request["temperature"] == 0.5
        assert request["messages"][0]["content"].startswith("You coach cooks.")
        assert "audience" not in request

    @WARNS
    def test_goes_where_the_site_says_whatever_its_caller_wants(self, ask, provider, caplog):
        ask("coach", extra={"model": "openai/other", "api_key": "theirs", "api_base": "http://127.0.0.1:1"})
        (request,) = provider.requests
        assert request["model"] == "gpt-fake"
        assert request["headers"]["Authorization"] == f"Bearer {SECRET}"
        assert "names=api_base,api_key,model" in caplog.text
        assert "theirs" not in caplog.text

    def test_asks_in_pieces(self, ask):
        assert b"".join(ask("coach_in_pieces")) == b"Hello from the model."
        assert ask("coach_in_pieces", extra={"stream": False})["response"] == "Hello from the model."

    def test_asks_twice(self, ask, provider):
        provider.then(Say("A draft."), Say("Better."))
        assert ask("coach_twice")["response"] == "Better."
        assert provider.requests[1]["messages"][-1] == from_learner("A draft.")

    def test_may_return_a_prompt(self, ask, provider):
        ask("plain_prompt", extra={"stream": False})
        assert provider.requests[0]["messages"][0]["content"].startswith("You are plain.")

    @pytest.mark.parametrize("name", ["_private", "with_an_argument", "process", "ask", "system_prompt", "review"])
    def test_has_no_other_functions(self, name):
        assert name not in CoachProcessor.functions()

    def test_needs_no_configuration(self):
        processor = LLMProcessor()
        assert (processor.config, processor.extra_params, processor.user_session) == ({}, {}, None)


class TestAStream:
    @pytest.mark.parametrize(("orchestrator", "start", "end"), [("Handed", "", ""), ("Lazy", "Well: ", "🌱")])
    def test_arrives(self, serve, learner_api, provider, tracked, orchestrator, start, end):
        serve(orchestrator)
        response = learner_api.run("What?")
        assert response.streaming
        chunks = list(response.streaming_content)
        assert b"".join(chunks).decode() == f"{start}Hello from the model.{end}"
        for chunk in chunks:
            chunk.decode()
        row = AIWorkflowRun.objects.get()
        assert (row.outcome, row.calls, row.profile_slug) == ("completed", 1, orchestrator.lower())
        assert [event["name"] for event in tracked] == [COMPLETED]
        assert tracked[0]["data"]["usage"]["total_tokens"] == 16

    @pytest.mark.parametrize("orchestrator", ["Handed", "Lazy"])
    def test_is_whole_for_who_wants_it_so(self, serve, learner_api, provider, tracked, orchestrator):
        serve(orchestrator)
        answer = text_of(learner_api.run("What?", headers=JSON))
        assert "Hello from the model." in answer["response"]
        assert answer["status"] == "completed"
        assert len(tracked) == 1

    @pytest.mark.parametrize("orchestrator", ["Handed", "Lazy"])
    def test_is_within_limits(self, serve, learner_api, provider, settings, orchestrator):
        settings.AI_EXTENSIONS_LIMITS = [{"per": "profile", "period": "day", "requests": 1}]
        serve(orchestrator)
        text = "".join(text_of(learner_api.run("What?")))
        assert "Hello" in text
        response = learner_api.run("What?")
        said = b"".join(response.streaming_content) if response.streaming else response.content
        assert b"Hello" not in said
        assert len(provider.requests) == 1
        assert AIWorkflowRun.objects.order_by("-pk").first().outcome == "refused"

    @pytest.mark.parametrize("orchestrator", ["Handed", "Lazy"])
    def test_stops_its_model_when_nobody_listens(self, serve, learner, provider, tracked, orchestrator):
        scope = serve(orchestrator)
        provider.reply([f"word{number} " for number in range(1000)], delay=0.2)
        place = {"course_id": COURSE_ID, "location_id": UNIT_ID}
        stream = scope.execute(user_input="What?", action="run", user=learner, running_context=place)
        while b"word1" not in next(stream):
            pass
        stream.close()
        eventually(lambda: provider.disconnects == 1)
        row = AIWorkflowRun.objects.get()
        assert (row.outcome, row.calls) == ("cancelled", 1)
        assert 0 < row.completion_tokens < 100
        assert not tracked

    @pytest.mark.django_db(transaction=True)
    def test_has_tools_without_a_session(self, serve, learner_api, provider):
        serve("Handed", enabled_tools=["get_context"])
        provider.then(CallTools(ToolCall("get_context")), Say("Here."))
        assert text_of(learner_api.run("Where?")) == "Here."
        assert UNIT_ID in provider.requests[1]["messages"][-1]["content"]

    def test_that_fails_at_once_is_an_ordinary_error(self, serve, learner_api, provider, settings):
        settings.AI_EXTENSIONS_MAX_RETRIES = 0
        serve("Handed")
        provider.then(Fail(500))
        assert error_of(learner_api.run("What?")) == (503, "service_unavailable")


class TestAnError:
    @pytest.mark.parametrize(
        ("error", "message"),
        [
            pytest.param("There is no text here.", "There is no text here.", id="a text"),
            pytest.param(f"401 for {SECRET}", "could not complete", id="with a secret"),
            pytest.param("Traceback (most recent call last)", "could not complete", id="a traceback"),
            pytest.param("x" * 5000, "could not complete", id="a long one"),
            pytest.param(None, "could not complete", id="no text"),
        ],
    )
    def test_is_a_processor_error(self, serve, learner_api, tracked, error, message):
        serve("Failing")
        response = learner_api.run(error)
        assert error_of(response) == (500, "processor_error")
        assert message in response.json()["error"]["message"]
        assert SECRET not in response.content.decode()
        assert not tracked
        row = AIWorkflowRun.objects.get()
        assert (row.outcome, row.error_code) == ("failed", "processor_error")

    def test_of_no_answer_is_ours(self, serve, learner_api):
        serve("Odd")
        assert error_of(learner_api.run()) == (500, "internal_error")


class TestAnOrchestratorThatDoesNothing:
    @pytest.mark.parametrize("name", ["Idle", "Ours"])
    def test_is_warned_of(self, serve, name, capsys):
        profile = serve(name).profile
        (problem,) = profile.problems()
        assert (problem.path, problem.severity) == ("$.orchestrator_class", Severity.WARNING)
        assert "does nothing" in problem.message
        call_command("check", databases=["default"])
        assert "does nothing" in "".join(capsys.readouterr())

    def test_is_warned_of_when_it_is_saved(self, serve, admin_client):
        profile = serve().profile
        patch = f'{{orchestrator_class: "{HERE}.Idle"}}'
        url = f"/admin/openedx_ai_extensions/aiworkflowprofile/{profile.pk}/change/"
        fields = {"slug": profile.slug, "base_filepath": profile.base_filepath, "content_patch": patch}
        response = admin_client.post(url, fields, follow=True)
        assert "This orchestrator does nothing" in response.content.decode()
        assert AIWorkflowProfile.objects.get().orchestrator_class == f"{HERE}.Idle"

    @pytest.mark.parametrize("action", ["run", "run_async", "work"])
    def test_has_no_such_action(self, serve, learner_api, action):
        serve("Idle")
        assert error_of(learner_api.run("x", action=action)) == (400, "unknown_action")
