"""What a widget can say of what is left, and what it must not."""

from __future__ import annotations

from datetime import datetime

import pytest

from openedx_ai_extensions.models import AILimit, AIWorkflowRun
from tests.api.conftest import HERE, Api, error_of

ALL = [
    {"per": "person", "period": "day", "requests": 3, "tokens": 1000, "money": 5},
    {"per": "course", "period": "month", "requests": 1},
    {"per": "provider", "period": "hour", "tokens": 5000},
    {"per": "site", "period": "month", "money": 100},
]


def left(api, context=HERE):
    response = api.client.get(api.url("aiext_limits", context))
    assert response.status_code == 200, response.content
    body = response.json()
    datetime.fromisoformat(body["timestamp"])
    return {(each["scope"], each["kind"]): each for each in body["limits"]}


def test_a_learner_sees_what_is_left_of_the_own(as_learner, priced_scope, settings):
    settings.AI_EXTENSIONS_LIMITS = ALL
    as_learner.run("Why green?")
    runs = AIWorkflowRun.objects.count()
    entries = left(as_learner)
    own = entries["person", "requests"]
    assert (own["limit"], own["used"], own["left"], own["exhausted"], own["period"]) == (3, 1, 2, False, "day")
    assert datetime.fromisoformat(own["resets_at"]).tzinfo
    assert entries["person", "tokens"]["left"] == 900
    hidden_ones = [("person", "money"), ("course", "requests"), ("provider", "tokens"), ("site", "money")]
    for hidden in hidden_ones:
        entry = entries[hidden]
        assert (entry["limit"], entry["used"], entry["left"]) == (None, None, None)
        assert entry["exhausted"] == (hidden == ("course", "requests"))
    assert AIWorkflowRun.objects.count() == runs


def test_site_staff_see_all(admin_user, as_learner, priced_scope, settings):
    settings.AI_EXTENSIONS_LIMITS = ALL
    as_learner.run("Why green?")
    entries = left(Api(admin_user))
    assert entries["site", "money"]["used"] == "0.01"
    assert entries["course", "requests"]["left"] == 0


def test_nothing_allowed_does_not_come_back(as_learner, priced_scope, settings):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "person", "period": "day", "requests": 0}]
    entry = left(as_learner)["person", "requests"]
    assert (entry["exhausted"], entry["resets_at"]) == (True, None)


def test_without_limits_nothing_is_listed(as_learner, priced_scope):
    assert left(as_learner) == {}
    AILimit.objects.create(per="person", period="day", tokens=5)
    assert left(as_learner, {})["person", "tokens"]["left"] == 5


@pytest.mark.parametrize(("who", "status"), [("stranger", 403), (None, 401)])
def test_who_may_not_look(request, priced_scope, who, status):
    api = Api(request.getfixturevalue(who) if who else None)
    assert error_of(api.client.get(api.url("aiext_limits")))[0] == status
