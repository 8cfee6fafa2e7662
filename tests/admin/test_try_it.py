"""Trying workflows out in the admin: all is shown, nothing is stored, and a bill is a bill."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.urls import reverse

from openedx_ai_extensions.models import AIPause, AIWorkflowRun
from tests.conftest import COURSE_ID, SECRET, UNIT_ID
from tests.fakes.provider import CallTools, Say, ToolCall

pytestmark = pytest.mark.django_db

TRY = ("try_workflow",)
HERE = {"course": COURSE_ID, "location": UNIT_ID, "person": "learner"}
NOT_STREAMED = {"processor_config": {"LLMProcessor": {"stream": False}}}


def url(**query):
    address = reverse("admin:openedx_ai_extensions_try_it")
    return f"{address}?{urlencode(query)}" if query else address


def rows() -> dict[str, int]:
    """How many rows each table has."""
    return {model._meta.label: model._default_manager.count() for model in apps.get_models()}


def part(page, name: str) -> str:
    return " ".join(page.find(f"//*[@id='aiext-{name}']")[0].text_content().split())


@pytest.fixture
def tries(admin, learner):
    def post(profile=None, **fields):
        data = {"try": "1", "model": "real", "profile": profile.pk if profile else "", **HERE, **fields}
        return admin.post("aitryit", "changelist", data)

    return post


@pytest.fixture
def streams(admin, learner):
    """The events of a try, as the page's script gets them."""

    def post(profile, **fields):
        data = {"try": "1", "model": "real", "profile": profile.pk, **HERE, **fields}
        response = admin.client.post(url(), data, headers={"Accept": "text/event-stream"})
        blocks = b"".join(response.streaming_content).decode().split("\n\n")
        lines = [block.split("\n") for block in blocks if block.startswith("event: ")]
        return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in lines]

    return post


@pytest.mark.parametrize("base", ["base/summary.json5", "base/chat.json5", "base/explain_like_five.json5"])
@pytest.mark.parametrize("model", ["real", "mock"])
def test_nothing_is_stored_and_only_a_real_model_is_in_the_ledger(
    tries, make_scope, provider, tracked, admin_user, base, model
):
    profile = make_scope(base_filepath=base).profile
    before = rows()
    page = tries(profile, text="Why are leaves green?", model=model)
    mock = "This is a mock answer; no AI was asked. It would have got 2 messages."
    assert part(page, "answer") == ("Hello from the model." if model == "real" else mock)
    changed = {name for name, count in rows().items() if count != before[name]}
    assert tracked == []
    assert "Why are leaves green?" in part(page, "sent")
    assert [title.text for title in page.find("//*[@id='aiext-sent']//h3")][:3] == [
        "Instructions", "Course text", "Learner",
    ]  # fmt: skip
    if model == "mock":
        assert (changed, provider.requests) == (set(), [])
        return
    assert changed <= {"openedx_ai_extensions.AIWorkflowRun"}
    run = AIWorkflowRun.objects.get()
    assert (run.action, run.user, run.course_id or None, run.profile_id) == ("try", admin_user, None, None)
    assert (run.profile_slug, run.prompt_tokens, run.outcome) == ("summary", 12, "completed")
    assert len(provider.requests) == 1


def test_all_that_it_took_is_shown(tries, make_scope, provider, settings):
    settings.AI_EXTENSIONS = {
        "default": {**settings.AI_EXTENSIONS["default"], "PRICES": {"INPUT": 1000, "OUTPUT": 500}}
    }
    figures = part(tries(make_scope().profile), "figures")
    assert "default: openai/gpt-fake" in figures
    assert "0.014 USD" in figures  # 12 tokens sent, 4 answered
    assert "Tokens sentabout" in figures


@pytest.mark.parametrize("model", ["real", "mock"])
def test_an_answer_arrives_as_events(streams, make_scope, provider, model):
    events = streams(make_scope().profile, model=model)
    names = [name for name, _data in events]
    assert names[:2] == ["notes", "sent"]
    assert names[-2:] == ["figures", "done"]
    text = "".join(data["text"] for name, data in events if name == "delta")
    assert text == "Hello from the model." if model == "real" else text.startswith("This is a mock answer")


@pytest.mark.django_db(transaction=True)  # tools run in threads of their own
def test_tools_are_offered_run_and_shown(streams, make_scope, provider):
    patch = {"processor_config": {"LLMProcessor": {"enabled_tools": ["get_context"]}}}
    provider.then(CallTools(ToolCall("get_context")), Say("Done."))
    events = streams(make_scope(patch=patch).profile)
    assert [data["state"] for name, data in events if name == "tool"] == ["started", "completed"]
    sent = [data["html"] for name, data in events if name == "sent"]
    assert "get_context" in sent[0]
    assert "The model was called 2 times" in sent[-1]


@pytest.mark.parametrize(
    ("base", "person", "fields", "items"),
    [
        pytest.param("base/flashcards.json5", "learner", {"number": "3"}, 3, id="flashcards"),
        pytest.param("base/quiz.json5", "author", {"number": "2", "text": "Easy ones"}, 2, id="a quiz"),
    ],
)
def test_answers_that_are_data_are_readable(tries, author, make_scope, provider, base, person, fields, items):
    profile = make_scope(base_filepath=base).profile
    before = rows()
    page = tries(profile, model="mock", person=person, **fields)
    assert len(page.find("//ol[contains(@class, 'aiext-items')]/li")) == items
    assert page.find("//*[@id='aiext-structured']//pre")[0].text_content().startswith(("[", "{"))
    assert rows() == before


def test_what_is_not_saved_can_be_tried(tries, admin, make_scope, provider):
    patch = "{processor_config: {LLMProcessor: {function: 'call_with_custom_prompt', prompt: 'Speak in rhymes.'}}}"
    page = tries(base_filepath="base/summary.json5", content_patch=patch)
    assert "Speak in rhymes." in part(page, "sent")
    page = tries(base_filepath="base/summary.json5", content_patch="{\n  oops: 1,,\n}")
    assert "line 2" in page.errors("content_patch")[0].lower()
    page = tries(base_filepath="base/summary.json5", content_patch="{processor_config: {LLMProcessor: {provider: 3}}}")
    assert page.errors("content_patch")
    # The page of a profile leads here, and sends what is typed there.
    profile = make_scope().profile
    page = admin.get("aiworkflowprofile", "change", pk=profile.pk)
    assert page.find(f"//ul[@class='object-tools']//a[@href='{url(profile=profile.pk)}']")
    assert page.find("//form[@id='aiworkflowprofile_form']//button/@formaction") == [url(profile=profile.pk)]
    page = admin.client.post(url(profile=profile.pk), {"base_filepath": "base/chat.json5", "content_patch": "{a: 1}"})
    assert b"{a: 1}" in page.content
    assert len(provider.requests) == 1


def test_the_site_without_any_provider_can_rehearse(tries, make_scope, settings):
    profile = make_scope().profile
    settings.AI_EXTENSIONS = {}
    assert part(tries(profile, model="mock"), "answer").startswith("This is a mock answer")
    page = tries(profile)
    assert "llm_config_error" in part(page, "error")


def test_a_mock_asks_no_moderator_at_a_provider(tries, make_scope, provider, settings):
    settings.AI_EXTENSIONS_MODERATORS = {
        "theirs": {"KIND": "provider", "PROVIDER": "default"}, "ours": {"KIND": "words", "WORDS": ["darn"]},
    }  # fmt: skip
    settings.AI_EXTENSIONS_MODERATION = {"before": ["theirs", "ours"], "after": ["theirs"]}
    profile = make_scope().profile
    assert part(tries(profile, model="mock", text="Why?"), "answer").startswith("This is a mock answer")
    assert "permission_denied" in part(tries(profile, model="mock", text="Darn!"), "error")
    assert provider.requests == []


def test_secrets_are_masked(tries, make_scope, provider):
    page = tries(make_scope().profile, text=f"My key is {SECRET}")
    assert SECRET not in page.source.replace(page.value("text"), "")
    assert "[REDACTED]" in part(page, "sent")


def test_rules_hold_for_a_real_model_and_are_told_of_a_mock(tries, make_scope, provider):
    AIPause.objects.create(message="Back on Monday.")
    profile = make_scope().profile
    assert "Back on Monday." in part(tries(profile), "error")
    page = tries(profile, model="mock")
    assert "A real run by learner would be refused now: Back on Monday." in part(page, "notes")
    assert part(page, "answer").startswith("This is a mock answer")
    assert provider.requests == []


def test_a_limit_holds_for_a_real_model(tries, make_scope, provider, settings):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "site", "period": "day", "requests": 1},
                                     {"per": "course", "period": "day", "requests": 0}]  # fmt: skip
    profile = make_scope().profile
    assert part(tries(profile), "answer") == "Hello from the model."
    assert "quota_exceeded" in part(tries(profile), "error")
    assert part(tries(profile, model="mock"), "answer").startswith("This is a mock answer")


@pytest.mark.parametrize(
    ("fields", "field", "said"),
    [
        ({"person": "nobody"}, "person", "There is no user with the username nobody."),
        ({"person": "stranger"}, "location", "or stranger cannot see it"),
        ({"text": "word " * 10_000}, "text", "Your text is too long."),
        ({"location": "no place"}, "location", "This usage key is not a location"),
    ],
)
def test_what_cannot_be_tried_is_said(tries, stranger, make_scope, provider, fields, field, said):
    page = tries(make_scope().profile, **fields)
    assert said in page.errors(field)[0]
    assert page.find("//*[@id='aiext-outcome'][@hidden]")
    assert provider.requests == []


def test_a_stream_of_what_cannot_be_tried_is_refused_as_a_page(admin, learner):
    response = admin.client.post(url(), {"try": "1", **HERE}, headers={"Accept": "text/event-stream"})
    assert (response.status_code, response.streaming) == (400, False)


def test_who_may_try_what(staff_with, make_scope, provider, learner):
    profile = make_scope(patch={"note": "for authors only"}).profile
    assert staff_with().get("aitryit").status == 403
    get_user_model().objects.get(username="clerk").delete()
    clerk = staff_with("try_workflow")
    page = clerk.get("aitryit", profile=str(profile.pk), edit="1")
    assert (page.status, page.find("//textarea[@name='content_patch']")) == (200, [])
    assert "for authors only" not in page.source
    data = {"try": "1", "model": "mock", "profile": profile.pk, **HERE,
            "base_filepath": "base/chat.json5", "content_patch": "{}"}  # fmt: skip
    AIPause.objects.create()
    # Somebody else's view takes a permission of its own, and so does what is not saved.
    page = clerk.post("aitryit", "changelist", data)
    assert "by clerk would be refused now" in part(page, "notes")
    assert "Summarise the course content" in part(page, "sent")
    page = clerk.post("aitryit", "changelist", {**data, "profile": ""})
    assert page.errors("profile") == ["Choose a profile."]
