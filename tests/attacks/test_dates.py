"""Dates at both ends of the calendar, at every door that takes one: refused or answered, never a fault of ours."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse

from openedx_ai_extensions.core.cache import bump_version
from openedx_ai_extensions.models import AIPause
from tests.api.conftest import Api

pytestmark = pytest.mark.django_db

ZONES = ["UTC", "America/Bogota", "Pacific/Kiritimati"]
DAYS = ["0001-01-01", "0001-01-02", "9999-12-30", "9999-12-31"]


@pytest.fixture
def admin(admin_user) -> Client:
    client = Client()
    client.force_login(admin_user)
    return client


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("by", ["day", "month", "person"])
@pytest.mark.parametrize(
    ("since", "until"), [("9998-01-01", "9999-12-31"), ("9999-12-31", "9999-12-31"), ("0001-01-01", "0001-01-02")]
)
def test_the_usage_report(admin, settings, zone, by, since, until):
    settings.TIME_ZONE = zone
    for name in ("changelist", "csv"):
        url = reverse(f"admin:openedx_ai_extensions_aiusagebyplace_{name}")
        response = admin.get(url, {"since": since, "until": until, "by": by})
        assert response.status_code in {200, 400}
    with pytest.raises(CommandError, match="is not a day"):
        call_command("ai_usage_report", "--since", since, "--until", until, "--by", by)


@pytest.mark.parametrize("query", ["accepted_at__year=9999", "accepted_at__year=9999&accepted_at__month=12",
    "accepted_at__year=9999&accepted_at__month=12&accepted_at__day=31", "accepted_at__year=1",
    "accepted_at__year=1&accepted_at__month=1&accepted_at__day=1"])  # fmt: skip
@pytest.mark.parametrize("zone", ZONES)
def test_the_list_of_consents(admin, settings, zone, query):
    settings.TIME_ZONE = zone
    url = reverse("admin:openedx_ai_extensions_aiconsent_changelist")
    assert admin.get(f"{url}?{query}").status_code in {200, 302, 400}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", DAYS)
def test_a_pause(admin, settings, learner, make_scope, zone, day):
    settings.TIME_ZONE = zone
    make_scope()
    for name in ("starts_at", "ends_at"):
        fields = {"enabled": "on", f"{name}_0": day, f"{name}_1": "23:59:59" if day > "5" else "00:00:00"}
        response = admin.post(reverse("admin:openedx_ai_extensions_aipause_add"), fields)
        assert response.status_code in {200, 302}
        assert admin.get(reverse("admin:openedx_ai_extensions_aipause_changelist")).status_code == 200
        assert admin.get(reverse("admin:openedx_ai_extensions_aihealth_changelist")).status_code == 200


@pytest.mark.parametrize("days", ["0", "999999999", "99999999999999999999", "-999999999"])
def test_purging_the_ledger(days):
    with suppress(CommandError):
        call_command("ai_purge_ledger", "--days", days)


@pytest.mark.parametrize("zone", ZONES)
def test_an_end_that_is_far_away_is_none(admin, settings, learner, make_scope, zone):
    settings.TIME_ZONE = zone
    make_scope()
    fields = {"enabled": "on", "starts_at_0": "0001-01-01", "starts_at_1": "00:00:00", "ends_at_0": "9999-12-31",
              "ends_at_1": "23:59:59"}  # fmt: skip
    assert admin.post(reverse("admin:openedx_ai_extensions_aipause_add"), fields).status_code == 302
    pause = AIPause.objects.get()
    assert (pause.starts_at, pause.ends_at) == (None, None)
    refused = Api(learner).run("Why?")
    assert refused.status_code == 403
    assert "resumes_at" not in refused.json()["error"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, tzinfo=UTC)])
@pytest.mark.parametrize("hours", [{}, {"weekdays": "0123456"}], ids=["always", "daily"])
def test_a_pause_that_was_saved_earlier(learner, provider, settings, make_scope, zone, day, hours):
    settings.TIME_ZONE = zone
    make_scope()
    AIPause.objects.create(**hours)
    QuerySet(AIPause).update(starts_at=day, ends_at=day)  # as an earlier version did, that did not check it
    bump_version()
    api = Api(learner)
    assert api.profile().status_code == 200
    assert api.run("Why?").status_code in {200, 403}
