"""Credentials in texts that everybody reads: learners get none, and whoever saves one in the admin is warned."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from django.urls import reverse

from openedx_ai_extensions.models import AINotice, AIPause
from openedx_ai_extensions.policy.pauses import turn_off
from tests.api.conftest import Api
from tests.author.conftest import Pages
from tests.conftest import COURSE_ID

pytestmark = pytest.mark.django_db
OF_FORM = "sk-proj-q7Z001wLkP3vXy9TnB2mRd6c"
OF_SITE = "plain-001-Zq8wLkPv"
WARNING = "seems to hold a credential"


@pytest.fixture(autouse=True)
def site(settings, provider):
    settings.AI_EXTENSIONS = {"default": {**settings.AI_EXTENSIONS["default"], "API_KEY": OF_SITE}}


@pytest.fixture(params=[OF_FORM, OF_SITE], ids=["by its form", "of the settings"])
def secret(request) -> str:
    return request.param


@pytest.fixture
def as_learner(learner) -> Api:
    return Api(learner)


@pytest.fixture
def admin(admin_user) -> Client:
    client = Client()
    client.force_login(admin_user)
    return client


def components(secret: str) -> str:
    config = {"buttonText": f"Go {secret}", "list": [{"deep": secret}], "titleText": "Kept"}
    return json.dumps({"actuator_config": {"UIComponents": {"request": {"config": config}}}})


def test_the_components_of_a_widget(as_learner, make_scope, secret):
    make_scope(patch=components(secret))
    for _time in range(2):
        answer = as_learner.profile()
        assert secret not in answer.content.decode()
        config = answer.json()["ui_components"]["request"]["config"]
        assert (config["buttonText"], config["titleText"]) == ("[REDACTED]", "Kept")


def test_a_credential_that_the_site_gets_later(as_learner, make_scope, settings):
    make_scope(patch=components("later-002-Zq8wLkPv"))
    assert "later-002" in as_learner.profile().content.decode()
    settings.AI_EXTENSIONS = {"default": {**settings.AI_EXTENSIONS["default"], "API_KEY": "later-002-Zq8wLkPv"}}
    assert "later-002" not in as_learner.profile().content.decode()


@pytest.mark.parametrize("hours", [{}, {"weekdays": "0123456"}], ids=["until further notice", "quiet hours"])
def test_the_message_of_a_pause(as_learner, author, make_scope, secret, hours):
    scope = make_scope()
    AIPause.objects.create(message=f"Ask {secret} please.", **hours)
    shown = as_learner.profile().content.decode() + as_learner.run("Why?").content.decode()
    shown += Pages(author, COURSE_ID).get("workflows").source
    assert secret not in shown
    assert "Ask [REDACTED] please." in shown
    pause = turn_off(author, scope.course_id, scope.profile) if scope.course_id else None
    if pause:
        AIPause.objects.filter(pk=pause.pk).update(message=secret)
        assert secret not in Pages(author, COURSE_ID).get("workflows").source


def test_the_text_of_a_notice(as_learner, make_scope, secret):
    profile = make_scope().profile
    AINotice.objects.create(text=f"We use {secret} for it.")
    shown = as_learner.run("Why?").content.decode()
    shown += as_learner.client.get(as_learner.url("aiext_consent")).content.decode()
    shown += as_learner.client.get(reverse("openedx_ai_extensions:notices:notice", args=[profile.pk])).content.decode()
    assert secret not in shown
    assert "We use [REDACTED] for it." in shown


def test_it_can_still_be_accepted(as_learner, make_scope, secret):
    make_scope()
    AINotice.objects.create(text=secret)
    url = as_learner.url("aiext_consent")
    fingerprint = as_learner.client.get(url).json()["notice"]["fingerprint"]
    body = json.dumps({"accepted": True, "fingerprint": fingerprint})
    assert as_learner.client.post(url, body, content_type="application/json").status_code == 200
    assert as_learner.run("Why?").status_code == 200


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("aipause", {"message": "{}", "enabled": "on"}),
        ("ainotice", {"text": "{}", "enabled": "on"}),
        ("aiworkflowprofile", {"slug": "s", "base_filepath": "base/summary.json5", "content_patch": "{note: '{}'}"}),
        ("aiworkflowprofile", {"slug": "s", "base_filepath": "base/summary.json5", "description": "{}"}),
    ],
)
def test_whoever_saves_one_is_warned(admin, secret, model, fields):
    url = reverse(f"admin:openedx_ai_extensions_{model}_add")
    for text, is_warned in ((secret, True), ("harmless", False)):
        filled = {name: value.replace("{}", text) for name, value in fields.items()}
        response = admin.post(url, filled, follow=True)
        assert response.status_code == 200
        said = [str(message) for message in response.context["messages"]]
        assert said, response.content.decode()[:3000]
        assert any(WARNING in each for each in said) is is_warned
        for row in response.context["cl"].queryset:
            row.delete()
