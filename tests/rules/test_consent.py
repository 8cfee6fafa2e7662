"""The notice, over REST and every other door: asked before a model is, exactly as shown, and until withdrawn."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import ProtectedError
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from openedx_ai_extensions.models import (
    AIConsent,
    AINotice,
    AINoticeVersion,
    AIPause,
    AIWorkflowAsyncRun,
    AIWorkflowProfile,
    AIWorkflowRun,
)
from openedx_ai_extensions.policy import guard
from openedx_ai_extensions.policy.consent import MAX_ACCEPTANCES_PER_DAY
from openedx_ai_extensions.runtime.retirement import retire_user
from openedx_ai_extensions.tasks import run_workflow
from tests.api.conftest import Api, error_of
from tests.events.conftest import request_for
from tests.rules.conftest import COURSE_ID, HERE

TEXT = "We send what you say to a company."


def consent(api: Api, context=HERE):
    return api.client.get(api.url("aiext_consent", context))


def say(api: Api, context=HERE, **body):
    return api.client.post(api.url("aiext_consent", context), json.dumps(body), content_type="application/json")


def accept(api: Api, context=HERE):
    response = say(api, context, accepted=True, fingerprint=consent(api, context).json()["notice"]["fingerprint"])
    assert response.status_code == 200, response.content
    return response


def asked(api: Api, context=HERE, action="run") -> bool:
    """Does a run ask for consent?"""
    response = api.run("Why?", context=context, action=action)
    if response.status_code == 200:
        return False
    assert error_of(response) == (403, "consent_required")
    return True


def test_without_a_notice_nobody_is_asked(as_learner, scope):
    assert not asked(as_learner)
    answer = consent(as_learner).json()
    assert (answer["required"], answer["accepted"], answer["notice"]) == (False, False, None)
    assert say(as_learner, accepted=True, fingerprint="x").json()["required"] is False
    assert not AIConsent.objects.exists()


def test_it_is_shown_with_what_it_is_about(as_learner, scope, notice, settings, provider):
    settings.AI_EXTENSIONS["default"]["REGION"] = "EU"
    shown = as_learner.run("Why?", context=HERE).json()["error"]["notice"]
    assert shown["text"] == TEXT
    assert shown["version"] == 1
    assert shown["providers"] == [{"provider": "Example University", "region": "EU"}]
    assert consent(as_learner).json()["notice"] == shown
    row = AIWorkflowRun.objects.get()
    assert (row.outcome, row.error_code, row.refused_by) == ("refused", "consent_required", f"consent/{notice.pk}")
    assert not provider.requests
    accept(as_learner)
    assert not asked(as_learner)
    assert not {"region", "processor"} & provider.requests[0].keys()


@pytest.mark.parametrize(
    ("stated", "environment", "named"),
    [
        ({"MODEL": "openai/x"}, {}, "openai"),
        ({"MODEL": "x"}, {}, "openai"),
        ({"MODEL": "openai/x", "API_BASE": "https://eu.api.openai.com/v1"}, {}, "openai"),
        ({"MODEL": "openai/x", "API_BASE": "https://LLM.example.org:8080/v1"}, {}, "llm.example.org"),
        ({"MODEL": "openai/x", "base_url": "https://user:pass@notopenai.com"}, {}, "notopenai.com"),
        ({"MODEL": "openai/x", "API_BASE": "https://openai.com.example.org"}, {}, "openai.com.example.org"),
        ({"MODEL": "openai/x", "API_BASE": "http://[::1]:8080/v1"}, {}, "::1"),
        ({"MODEL": "openai/x"}, {"OPENAI_BASE_URL": "http://llm:8080/v1"}, "llm"),
        ({"MODEL": "openai/x"}, {"OPENAI_API_BASE": "llm:8080"}, "llm"),
        ({"MODEL": "openai/x"}, {"OPENAI_API_BASE": "http://["}, "?"),
        ({"MODEL": "azure/ours", "API_BASE": "https://ours.openai.azure.com"}, {}, "azure"),
        ({"MODEL": "openai/x", "API_BASE": "https://ours.openai.azure.com"}, {}, "ours.openai.azure.com"),
        ({"MODEL": "hosted_vllm/x", "API_BASE": "http://gpu/v1"}, {}, "gpu"),
        ({"MODEL": "x", "CUSTOM_LLM_PROVIDER": "groq"}, {}, "groq"),
        ({"MODEL": "anthropic/x", "PROCESSOR": "Anthropic, PBC"}, {}, "Anthropic, PBC"),
        ({"MODEL": "openai/x", "API_BASE": "http://gpu/v1", "PROCESSOR": "Uni"}, {}, "Uni"),
        ({"MODEL": "openai/x", "API_BASE": "http://gpu/v1", "PROCESSOR": ""}, {}, "gpu"),
    ],
)
def test_who_gets_the_data(as_learner, scope, notice, settings, monkeypatch, stated, environment, named):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings.AI_EXTENSIONS = {"default": stated}
    assert consent(as_learner).json()["notice"]["providers"] == [{"provider": named, "region": None}]


def test_once_accepted_it_is_not_asked_again(as_learner, scope, notice, learner):
    assert asked(as_learner)
    assert accept(as_learner).json()["accepted"] is True
    accept(as_learner)
    assert not asked(as_learner)
    assert AIConsent.objects.filter(user=learner).count() == 1


def test_a_widget_hears_whether_it_was_accepted(as_learner, as_author, scope, notice):
    def hears(api):
        return api.profile(HERE).json().get("has_consented")

    assert hears(as_learner) is None
    accept(as_learner)
    assert (hears(as_learner), hears(as_author)) == (True, None)
    AINotice.objects.update(text="Other words.")
    assert hears(as_learner) is None
    accept(as_learner)
    say(as_learner, accepted=False)
    assert hears(as_learner) is None


def test_staff_are_asked_too(as_author, admin_user, scope, notice):
    assert asked(as_author)
    assert asked(Api(admin_user))


def test_withdrawn_it_is_asked_again(as_learner, scope, notice):
    accept(as_learner)
    assert say(as_learner, accepted=False).json()["accepted"] is False
    assert asked(as_learner)
    accept(as_learner)
    assert not asked(as_learner)
    say(as_learner, accepted=False)
    assert list(AIConsent.objects.values_list("holds", flat=True)) == [None, None]
    assert not AIConsent.objects.filter(withdrawn_at=None).exists()


def test_what_reads_or_tidies_up_asks_for_nothing(as_learner, scope, notice):
    for action in ("get_current_session_response", "clear_session", "get_run_status"):
        assert as_learner.run(action=action, context=HERE).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        "wording",
        "wording in bulk",
        "processor",
        "region",
        "another provider",
        "a fallback",
        "the provider's fallback",
        "who moderates",
    ],
)
def test_what_changes_is_asked_again(as_learner, scope, notice, settings, change):
    accept(as_learner)
    assert not asked(as_learner)
    entry = dict(settings.AI_EXTENSIONS["default"])
    profile: AIWorkflowProfile = scope.profile
    match change:
        case "wording":
            notice.text += " Really."
            notice.save()
        case "wording in bulk":
            AINotice.objects.update(text="Other words.")
        case "processor":
            settings.AI_EXTENSIONS = {"default": {**entry, "PROCESSOR": "A company"}}
        case "region":
            settings.AI_EXTENSIONS = {"default": {**entry, "REGION": "US"}}
        case "another provider":
            settings.AI_EXTENSIONS = {"default": entry, "other": entry}
            profile.content_patch = '{"processor_config": {"LLMProcessor": {"provider": "other"}}}'
            profile.save()
        case "a fallback":
            settings.AI_EXTENSIONS = {"default": entry, "other": {**entry, "REGION": "US"}}
            profile.content_patch = '{"processor_config": {"LLMProcessor": {"fallbacks": ["other"]}}}'
            profile.save()
        case "the provider's fallback":
            settings.AI_EXTENSIONS = {"default": {**entry, "FALLBACKS": ["other"]}, "other": {**entry, "REGION": "US"}}
        case "who moderates":
            settings.AI_EXTENSIONS = {"default": entry, "other": {**entry, "REGION": "US"}}
            settings.AI_EXTENSIONS_MODERATORS = {"endpoint": {"KIND": "provider", "PROVIDER": "other"}}
            settings.AI_EXTENSIONS_MODERATION = {"after": ["endpoint"]}
    assert asked(as_learner)
    assert consent(as_learner).json()["notice"]["version"] == (2 if "wording" in change else 1)
    accept(as_learner)
    assert AIConsent.objects.filter(holds=True).count() == 2


def test_what_does_not_matter_is_not_asked_again(as_learner, scope, notice, settings):
    accept(as_learner)
    entry = settings.AI_EXTENSIONS["default"]
    changed = {**entry, "MODEL": "openai/gpt-next", "API_KEY": "sk-new", "FALLBACKS": ["unused"]}
    settings.AI_EXTENSIONS = {"default": changed, "unused": entry}
    profile: AIWorkflowProfile = scope.profile
    profile.content_patch = '{"processor_config": {"LLMProcessor": {"fallbacks": []}}}'
    profile.save()
    notice.save()
    assert not asked(as_learner)
    assert AINoticeVersion.objects.count() == 1


def test_only_what_was_shown_can_be_accepted(as_learner, scope, notice):
    old = consent(as_learner).json()["notice"]["fingerprint"]
    notice.text = "New."
    notice.save()
    response = say(as_learner, accepted=True, fingerprint=old)
    assert error_of(response) == (400, "validation_error")
    assert response.json()["error"]["notice"]["text"] == "New."
    assert asked(as_learner)
    for body in ({}, {"accepted": "yes"}, {"accepted": 1}, {"accepted": True}, {"accepted": True, "fingerprint": None}):
        assert error_of(say(as_learner, **body)) == (400, "validation_error")
    assert not AIConsent.objects.exists()


def test_a_withdrawal_is_of_every_wording(as_learner, scope, notice):
    accept(as_learner)
    AINotice.objects.update(text="Second.")
    accept(as_learner)
    say(as_learner, accepted=False)
    AINotice.objects.update(text=TEXT)
    assert asked(as_learner)


def test_a_profile_s_own_notice(as_learner, scope, notice, make_scope):
    other = make_scope(slug="other", base_filepath="base/chat.json5", slot="other", course_id=COURSE_ID)
    there = {**HERE, "uiSlotSelectorId": "other"}
    own = AINotice.objects.create(profile=other.profile, text="For this tool.")
    accept(as_learner)
    assert not asked(as_learner)
    assert asked(as_learner, there)
    assert consent(as_learner, there).json()["notice"]["text"] == "For this tool."
    own.enabled = False
    own.save()
    assert not asked(as_learner, there)
    notice.delete()
    own.text = TEXT
    own.enabled = True
    own.save()
    assert not asked(as_learner, there), "the same words for the same providers"
    say(as_learner, there, accepted=False)
    assert asked(as_learner, there)


def test_servers_of_tools_receive_data_too(as_learner, scope, notice, settings):
    settings.AI_EXTENSIONS_MCP_CONFIGS = {
        name: {"URL": f"https://{name}.example/secret-path"} for name in ("dictionary", "weather", "unused")
    }
    accept(as_learner)
    assert not asked(as_learner)
    profile = scope.profile
    profile.content_patch = '{processor_config: {LLMProcessor: {mcp_configs: ["dictionary", "weather"]}}}'
    profile.save()
    assert asked(as_learner)
    shown = consent(as_learner)
    named = [each["provider"] for each in shown.json()["notice"]["providers"]]
    assert named == ["Example University", "dictionary", "weather"]
    assert "secret-path" not in shown.content.decode()
    page = as_learner.client.get(reverse("openedx_ai_extensions:notices:notice", args=[profile.pk]))
    assert "Example University, dictionary, weather" in page.content.decode()
    accept(as_learner)
    assert "weather" in AIConsent.objects.latest("pk").providers
    assert not asked(as_learner)
    settings.AI_EXTENSIONS_MCP_CONFIGS.pop("weather")
    settings.AI_EXTENSIONS_MCP_CONFIGS = dict(settings.AI_EXTENSIONS_MCP_CONFIGS)
    assert asked(as_learner)


def test_the_site_has_one_notice_and_its_wordings_stay(as_learner, scope, notice):
    with pytest.raises(ValidationError):
        AINotice.objects.create(text="Another.")
    accept(as_learner)
    notice.delete()
    assert not asked(as_learner)
    assert AIConsent.objects.get().version.text == TEXT
    with pytest.raises(ProtectedError):
        AINoticeVersion.objects.all().delete()


def test_work_in_the_background(as_learner, scope, notice, provider, use_broker):
    use_broker("memory://")
    assert asked(as_learner, action="run_async")
    accept(as_learner)
    task_id = as_learner.run("Why?", action="run_async", context=HERE).json()["task_id"]
    say(as_learner, accepted=False)
    run_workflow(task_id)
    row = AIWorkflowAsyncRun.objects.get()
    assert (row.status, row.code) == ("failed", "consent_required")
    assert not provider.requests


def test_events(as_learner, learner, scope, notice, provider, consuming, outcome):
    place = {"course_id": COURSE_ID, "location_id": HERE["locationId"]}
    assert outcome(request_for(learner, **place)) == "consent_required"
    assert not provider.requests
    accept(as_learner)
    assert outcome(request_for(learner, **place)) == "completed"


def test_an_answer_under_way_when_it_is_withdrawn(as_learner, scope, notice, provider, monkeypatch):
    monkeypatch.setattr(guard, "RECHECK_SECONDS", 0.2)
    accept(as_learner)
    provider.reply([f"word{number} " for number in range(600)], delay=0.05)
    chunks = iter(as_learner.run("Why?", context=HERE).streaming_content)
    next(chunks)
    say(as_learner, accepted=False)
    rest = b"".join(chunks).decode()
    assert "word599" not in rest
    assert "read and accept" in rest
    assert AIWorkflowRun.objects.get().error_code == "consent_required"


def test_it_can_be_withdrawn_while_ai_is_off(as_learner, scope, notice):
    accept(as_learner)
    AIPause.objects.create()
    assert say(as_learner, accepted=False).json()["accepted"] is False


@pytest.mark.parametrize("with_notice", [False, True])
@pytest.mark.django_db(transaction=True)  # what is not committed is not kept in any cache
def test_what_it_costs(as_learner, scope, request, with_notice):
    """One query for each run, and none without a notice."""
    if with_notice:
        request.getfixturevalue("notice")
        accept(as_learner)
    as_learner.run("Why?", context=HERE)
    with CaptureQueriesContext(connection) as queries:
        as_learner.run("Why?", context=HERE)
    about = [query["sql"] for query in queries if "aiconsent" in query["sql"] or "ainotice" in query["sql"]]
    assert len(about) == with_notice
    assert not [query for query in queries if "aipause" in query["sql"]]


def test_who_may_ask(as_learner, stranger, scope, notice):
    assert error_of(consent(Api(stranger))) == (403, "permission_denied")
    assert error_of(consent(Api())) == (401, "not_authenticated")
    assert error_of(consent(as_learner, {**HERE, "uiSlotSelectorId": "nowhere"})) == (404, "workflow_not_found")


def test_it_goes_with_the_person(as_learner, as_author, learner, scope, notice):
    accept(as_learner)
    accept(as_author)
    say(as_learner, accepted=False)
    assert retire_user(learner, dry_run=True).consents == 1
    assert retire_user(learner).consents == 1
    assert AIConsent.objects.count() == 1


def test_the_record_of_one_person_grows_slowly(as_learner, as_author, scope, notice):
    """Every acceptance and withdrawal is on record, so there are few of them."""
    for _time in range(MAX_ACCEPTANCES_PER_DAY):
        accept(as_learner)
        accept(as_learner)
        say(as_learner, accepted=False)
    fingerprint = consent(as_learner).json()["notice"]["fingerprint"]
    for _time in range(3):
        assert error_of(say(as_learner, accepted=True, fingerprint=fingerprint)) == (429, "quota_exceeded")
    page = as_learner.client.post(
        reverse("openedx_ai_extensions:notices:notice", args=[scope.profile_id]),
        {"accepted": "yes", "fingerprint": fingerprint},
    )
    assert page.status_code == 429
    assert "You can continue" in page.content.decode()
    assert asked(as_learner)
    rows = AIConsent.objects.all()
    assert rows.count() == MAX_ACCEPTANCES_PER_DAY
    assert not rows.filter(withdrawn_at=None).exists()
    assert accept(as_author).status_code == 200
    rows.update(accepted_at=timezone.now() - timedelta(days=2))
    assert accept(as_learner).status_code == 200
