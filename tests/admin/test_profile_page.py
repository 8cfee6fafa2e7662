"""The page of a profile: what it says of templates, of a patch while it is being typed, and of what a save reaches."""

import json
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowSession
from openedx_ai_extensions.workflows.template_utils import load_template
from tests.admin.test_profile import MODEL, TEMPLATE, typed
from tests.conftest import COURSE_ID, SECRET

BASE = "/admin/openedx_ai_extensions/aiworkflowprofile/"
LLM = "$.processor_config.LLMProcessor"


def judge(admin, pk=None, **fields):
    """The answer while these are being typed."""
    response = admin.client.post(f"{BASE}{pk}/validate/" if pk else f"{BASE}validate/", typed(**fields))
    assert response.status_code == 200
    return response.json()


def said(answer):
    """The findings as ``(kind, line, column, place, message)``."""
    if not answer["findings"].strip():
        return []
    found = []
    for item in html.fromstring(answer["findings"]).xpath("//li"):
        places = item.xpath("*[@data-line]")
        line, column = (int(places[0].get(f"data-{name}")) for name in ("line", "column")) if places else (None, None)
        where = "".join(item.xpath("code/text()"))
        kind = item.xpath("strong")[0].text.rstrip(":")
        found.append((kind, line, column, where, " ".join(item.xpath("text()")[-1].split()).removeprefix(": ")))
    return found


@pytest.fixture
def own_template(site_templates):
    """Writes a template of the site's own."""

    def write(name, head="", **more):
        config = {**load_template(TEMPLATE), **more}
        (site_templates / name).write_text(head + json.dumps(config), "utf-8")

    return write


@pytest.mark.parametrize(
    ("head", "more", "description"),
    [
        pytest.param("// For biology,\n// and others.\n//\n// More.\n", {}, "For biology, and others.", id="comments"),
        pytest.param("/* For\n * biology. */\n", {}, "For biology.", id="a comment of several lines"),
        pytest.param("// Name it so:\n//   {a: 1}\n", {}, "Name it so:", id="a comment with an example"),
        pytest.param("// Not this.\n", {"description": "Its own words."}, "Its own words.", id="a key"),
        pytest.param("", {"description": ["no", "text"]}, "This template has no description.", id="none"),
        pytest.param("\n\n// <b>Bold</b>\n", {}, "<b>Bold</b>", id="a comment that looks like HTML"),
    ],
)
def test_templates_are_described_to_those_who_pick_one(admin, own_template, head, more, description):
    own_template("own.json5", head, **more)
    page = admin.get(MODEL, "add")
    (about,) = page.field("template_about", "//dt[contains(., 'own.json5')]/following-sibling::dd[1]")
    assert about.text_content() == description
    assert len(page.field("template_about", "//dt")) == len(page.find("//select[@name='base_filepath']/option")) - 1

    picked = judge(admin, base_filepath="own.json5")["template"]
    shown = html.fromstring(f"<div>{picked}</div>")
    assert shown.xpath("p")[0].text_content() == description
    assert head in shown.xpath(".//pre")[0].text_content()


def test_a_credential_in_a_template_is_not_shown(admin, own_template, provider):
    own_template("own.json5", f"// {SECRET}\n", extension={"api_key": "in-the-open"})
    picked = judge(admin, base_filepath="own.json5")["template"]
    assert "[REDACTED]" in picked
    assert SECRET not in picked.replace(f">{SECRET}<", "")
    assert "in-the-open" not in picked


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        pytest.param("{\n  a: 1 b: 2\n}", [("Error", 2, 8, "")], id="not JSON5"),
        pytest.param("[]", [("Error", None, None, "")], id="a list"),
        pytest.param(
            "{\n  // why\n  processor_config: {\n    LLMProcessor: { stream: 'yes', },\n  },\n}",
            [("Error", 4, 21, f"{LLM}.stream")],
            id="a wrong type",
        ),
        pytest.param("{schema_version: null}", [("Error", 1, 2, "$.schema_version")], id="a required key removed"),
        pytest.param(
            "{processor_config: {\r\n 'LLMProcessor': {options: {'api_key': 'x'}}}}",
            [("Error", 2, 29, f"{LLM}.options.api_key")],
            id="a reserved option, in quotes, after a browser's line end",
        ),
        pytest.param(
            "{processor_config: {LLMProcessor: {function: 'call_with_custom_prompt'}}}",
            [("Error", 1, 21, f"{LLM}.prompt")],
            id="something missing, at what it is missing in",
        ),
        pytest.param(
            "{processor_config: {LLMProcessor: {enabled_tools: [\n'roll_dice',\n'gone']}}}",
            [("Warning", 3, 1, f"{LLM}.enabled_tools[1]")],
            id="an item of a list that this service does not have",
        ),
        pytest.param(
            "{processor_config: {LLMProcessor: {stream: true, cache: null}}}",
            [("Note", 1, 36, f"{LLM}.stream"), ("Note", 1, 50, f"{LLM}.cache")],
            id="keys that change nothing",
        ),
        pytest.param("{processor_config: {LLMProcessor: {options: {temperature: 0.1}}}}", [], id="in order"),
        pytest.param("", [], id="empty"),
    ],
)
@pytest.mark.parametrize("is_new", [True, False], ids=["a new profile", "an old one"])
def test_a_patch_is_judged_while_it_is_typed_as_a_save_would_judge_it(
    admin, make_scope, provider, patch, expected, is_new
):
    pk = None if is_new else make_scope(slug="mine").profile.pk
    answer = judge(admin, pk, content_patch=patch)
    assert [finding[:4] for finding in said(answer)] == expected
    kinds = {kind for kind, *_place in expected}
    assert answer["valid"] is ("Error" not in kinds)
    assert bool(kinds) is (answer["summary"] != "Everything is in order.")
    assert AIWorkflowProfile.objects.filter(content_patch=patch).count() == 0, "judging saves nothing"

    page = admin.post(MODEL, "add" if is_new else "change", typed(content_patch=patch), pk=pk)
    assert bool(page.errors("content_patch")) is ("Error" in kinds)


def test_what_is_allowed_is_said(admin):
    patch = "{processor_config: {OpenEdXProcessor: {retrieval_mode: 'all'}}}"
    ((_kind, _line, _column, _where, message),) = said(judge(admin, content_patch=patch))
    assert message == 'This must be one of: "unit", "sequence", "up_to_current_unit".'


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param({"slug": "taken"}, "Slug", id="a slug that another has"),
        pytest.param({"slug": "not a slug"}, "Slug", id="a slug with spaces"),
        pytest.param({"base_filepath": "../settings.py"}, "Template", id="a template that is none"),
        pytest.param({"base_filepath": "", "slug": ""}, None, id="nothing filled in yet"),
    ],
)
def test_other_fields_are_judged_too(admin, make_scope, provider, fields, words):
    make_scope(slug="taken")
    answer = judge(admin, **fields)
    assert answer["valid"] is False
    assert [finding[3] for finding in said(answer)] == ([words] if words else [])


def test_the_comparison_follows_the_patch_and_hides_credentials(admin, make_scope, provider):
    pk = make_scope().profile.pk
    patch = {"extension": {"api_key": "patched-key"}, "processor_config": {"LLMProcessor": {"stream": False}}}
    answer = judge(admin, pk, slug="summary", content_patch=json.dumps(patch))
    shown = html.fromstring(answer["difference"])
    changed = [" ".join(cell.text_content().split()) for cell in shown.xpath("//tr[contains(@class, 'differs')]/td")]
    assert '12−changed from "stream": true' in changed
    assert '12+changed to "stream": false' in changed
    assert any('"api_key": "[REDACTED]"' in cell for cell in changed)
    assert "patched-key" not in answer["difference"]
    assert answer["change"] == "A save changes what the workflow does."


def test_what_leaves_the_outcome_alone_is_said_to(admin, make_scope, provider):
    pk = make_scope().profile.pk
    answer = judge(admin, pk, slug="summary", content_patch="// only a comment\n{}")
    assert answer["change"] == "A save does not change what the workflow does."
    assert "has no effect" in answer["difference"]


def test_a_very_long_patch_waits_for_the_save(admin):
    answer = judge(admin, content_patch="/" * 20_001)
    assert list(answer) == ["summary"]


@pytest.mark.parametrize(
    ("permission", "statuses"),
    [
        pytest.param("view_aiworkflowprofile", (403, 403), id="who may only look"),
        pytest.param("add_aiworkflowprofile", (200, 403), id="who may only add"),
        pytest.param("change_aiworkflowprofile", (403, 200), id="who may only change"),
    ],
)
def test_only_who_may_save_is_answered(staff_with, make_scope, permission, statuses):
    clerk = staff_with(permission).client
    urls = f"{BASE}validate/", f"{BASE}{make_scope().profile.pk}/validate/"
    assert tuple(clerk.post(url, typed()).status_code for url in urls) == statuses
    assert [Client().post(url, typed()).status_code for url in urls] == [302, 302]


def test_only_posts_about_known_profiles_are_answered(admin, make_scope):
    assert admin.client.get(f"{BASE}validate/").status_code == 405
    assert admin.client.post(f"{BASE}999/validate/", typed()).status_code == 404
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = admin.client.cookies
    assert strict.post(f"{BASE}validate/", typed()).status_code == 403


@pytest.fixture
def used(make_scope, learner, author):
    """A profile with a scope, a session of today and one of long ago."""
    scope = make_scope(slug="mine")
    AIWorkflowSession.objects.create(user=learner, scope=scope, profile=scope.profile)
    old = AIWorkflowSession.objects.create(user=author, scope=scope, profile=scope.profile)
    AIWorkflowSession.objects.filter(pk=old.pk).update(updated_at=timezone.now() - timedelta(days=31))
    return scope.profile


def test_what_a_save_reaches_is_shown_before(admin, used):
    shown = admin.get(MODEL, "change", pk=used.pk).shown("used_by")
    assert f"1 course: {COURSE_ID}" in shown
    assert "1 session was used in the last 30 days." in shown
    assert "earlier messages stay" in shown


@pytest.mark.parametrize(
    ("fields", "is_told"),
    [
        pytest.param(
            {"content_patch": "{processor_config: {LLMProcessor: {stream: false}}}"}, True, id="a new outcome"
        ),
        pytest.param({"base_filepath": "base/ask.json5"}, True, id="another template"),
        pytest.param({"content_patch": "// why\n{}", "description": "Else"}, False, id="the same outcome"),
    ],
)
def test_a_save_that_changes_running_sessions_says_so(admin, used, provider, fields, is_told):
    page = admin.post(MODEL, "change", typed(**fields), pk=used.pk)
    told = [message for message in page.messages if "1 session was used in the last 30 days." in message]
    assert bool(told) is is_told


def test_a_profile_for_every_course_without_sessions(admin, make_scope):
    page = admin.get(MODEL, "change", pk=make_scope(course_id="").profile.pk)
    assert "Every course." in page.shown("used_by")
    assert "0 sessions" in page.shown("used_by")
