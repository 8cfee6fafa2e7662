"""The admin's pages: pauses, notices and who accepted them."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from openedx_ai_extensions.models import AIConsent, AINotice, AIPause
from tests.rules.conftest import HERE
from tests.rules.test_consent import accept, asked, say

PREFIX = "admin:openedx_ai_extensions"


@pytest.fixture
def admin(admin_user) -> Client:
    client = Client()
    client.force_login(admin_user)
    return client


def url(model: str, page: str, *args) -> str:
    return reverse(f"{PREFIX}_{model}_{page}", args=args)


BLANK = {"message": "", "course_id": "", "profile": "", "location_regex": "", "from_time": "", "to_time": "",
         "starts_at_0": "", "starts_at_1": "", "ends_at_0": "", "ends_at_1": ""}  # fmt: skip


def test_a_kill_switch_in_two_clicks(admin, as_learner, scope):
    assert admin.post(url("aipause", "add"), {**BLANK, "enabled": "on"}).status_code == 302
    assert as_learner.run("Why?", context=HERE).status_code == 403
    row = AIPause.objects.get()
    page = admin.get(url("aipause", "changelist")).content.decode()
    assert "The whole site" in page
    action = {"action": "disable", "_selected_action": [row.pk]}
    assert admin.post(url("aipause", "changelist"), action).status_code == 302
    assert as_learner.run("Why?", context=HERE).status_code == 200


def test_quiet_hours_are_ticked(admin, db):
    data = {**BLANK, "enabled": "on", "weekdays": ["6", "5"], "from_time": "22:00", "to_time": "06:00"}
    assert admin.post(url("aipause", "add"), data).status_code == 302
    row = AIPause.objects.get()
    assert row.weekdays == "56"
    page = admin.get(url("aipause", "change", row.pk)).content.decode()
    assert page.count("checked") == 3
    assert "Saturday, Sunday 22:00\u201306:00" in admin.get(url("aipause", "changelist")).content.decode()
    answer = admin.post(url("aipause", "add"), {**data, "location_regex": "(", "to_time": ""})
    assert "not a valid regular expression" in answer.content.decode()
    assert "Give both times" in admin.post(url("aipause", "add"), {**data, "to_time": ""}).content.decode()


def test_a_new_wording(admin, as_learner, as_author, scope):
    assert admin.post(url("ainotice", "add"), {"profile": "", "text": "First.", "enabled": "on"}).status_code == 302
    notice = AINotice.objects.get()
    accept(as_learner)
    accept(as_author)
    say(as_author, accepted=False)
    change = url("ainotice", "change", notice.pk)
    assert admin.post(change, {"profile": "", "text": "Second.", "enabled": "on"}).status_code == 302
    assert asked(as_learner)
    page = " ".join(admin.get(change).content.decode().split())
    assert "First." in page
    assert "Second." in page
    assert "<td>1</td>" in page
    assert "version__id__exact" in page
    assert (
        "The site has a notice already"
        in admin.post(url("ainotice", "add"), {"profile": "", "text": "Third.", "enabled": "on"}).content.decode()
    )


def test_who_has_accepted(admin, as_learner, as_author, author, scope, notice):
    accept(as_learner)
    accept(as_author)
    say(as_author, accepted=False)
    author.username = "=author"
    author.save()
    listed = url("aiconsent", "changelist")
    assert admin.get(listed, {"state": "holds"}).content.decode().count('class="field-version') == 1
    assert admin.get(listed, {"version__id__exact": notice.versions.get().pk}).status_code == 200
    action = {"action": "export", "_selected_action": list(AIConsent.objects.values_list("pk", flat=True))}
    text = b"".join(admin.post(listed, action).streaming_content).decode()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["person"], row["version"], bool(row["withdrawn"])) for row in rows] == [
        ("learner", "1", False),
        ("'=author", "1", True),
    ]
    row = AIConsent.objects.first()
    assert admin.get(url("aiconsent", "change", row.pk)).status_code == 200
    assert admin.post(url("aiconsent", "change", row.pk), {}).status_code == 403
    assert admin.get(url("aiconsent", "add")).status_code == 403
    assert admin.get(url("aiconsent", "delete", row.pk)).status_code == 403
