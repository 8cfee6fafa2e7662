"""``ai_export`` and ``ai_import``: configuration as files."""

from __future__ import annotations

import csv
import json
from io import StringIO

import pytest
import yaml
from django.core.management.base import CommandError

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from tests.conftest import COURSE_ID, SECRET, SLOT

pytestmark = pytest.mark.once
HEAD = "format: openedx-ai-extensions\nversion: 1\n"
PROMPT = "prompts:\n- slug: tutor\n  body: Be kind.\n"
PROFILE = "profiles:\n- slug: mine\n  base_filepath: base/summary.json5\n"
SCOPE = f"scopes:\n- profile: mine\n  course_id: {COURSE_ID}\n  service_variant: lms\n  ui_slot_selector_id: {SLOT}\n"
USING = (
    "profiles:\n- slug: mine\n  base_filepath: base/summary.json5\n"
    "  content_patch: '{processor_config: {LLMProcessor: {prompt_template: \"tutor\"}}}'\n"
)
COLUMNS = "profile,course_id,location_regex,service_variant,ui_slot_selector_id,enabled\n"


@pytest.fixture
def site(make_scope):
    """Profiles with lines, quotes and all kinds of characters; scopes alike; a prompt."""
    PromptTemplate.objects.create(slug="tutor", body="Be kind.\r\nAnd: “short” \u2028 # no comment\n  - indented\n")
    scope = make_scope(patch='{\n  // why\n  processor_config: {LLMProcessor: {prompt_template: "tutor"}},\n}\n')
    make_scope(slug="every", course_id=None, location_regex="@vertical\\+block@", service_variant="cms")
    for enabled in (False, True):
        AIWorkflowScope.objects.create(
            profile=scope.profile, course_id=None, ui_slot_selector_id="=SUM(A1)", enabled=enabled
        )


def state():
    scopes = AIWorkflowScope.objects.order_by("pk").values_list(
        "profile__slug", "course_id", "location_regex", "service_variant", "ui_slot_selector_id", "enabled"
    )
    profiles = AIWorkflowProfile.objects.values_list("slug", "description", "base_filepath", "content_patch")
    return list(scopes), sorted(profiles), sorted(PromptTemplate.objects.values_list("slug", "uuid", "body"))


def empty():
    for model in (AIWorkflowScope, AIWorkflowProfile, PromptTemplate):
        model.objects.all().delete()


@pytest.fixture
def write(tmp_path):
    def make(content, name="file.yaml"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return make


@pytest.mark.parametrize("file_format", ["yaml", "csv"])
def test_importing_an_export_changes_nothing_and_says_so(command, site, tmp_path, file_format):
    path = str(tmp_path / f"export.{file_format}")
    command("ai_export", "--format", file_format, "-o", path)
    before = state()
    text = command("ai_import", path)
    assert text.strip() == f"Nothing changes: {7 if file_format == 'yaml' else 4} entries are up to date."
    assert state() == before
    assert (tmp_path / f"export.{file_format}").stat().st_mode & 0o077 == 0


def test_an_export_makes_another_site_the_same(command, site, write):
    before = state()
    path = write(command("ai_export"))
    empty()
    assert "7 created, 0 changed, 0 unchanged." in command("ai_import", path)
    assert state() == before


def test_a_csv_file_holds_the_scopes_and_no_formulas(command, site, write):
    before = state()[0]
    text = command("ai_export", "--format=csv")
    for row in csv.reader(StringIO(text)):
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)
    AIWorkflowScope.objects.all().delete()
    # As spreadsheets write it: with a mark in front, and semicolons.
    command("ai_import", write(b"\xef\xbb\xbf" + text.replace(",", ";").encode(), "scopes.CSV"))
    assert state()[0] == before


@pytest.mark.parametrize("text", ["'", "'=x", "''", "=x", "'a", "a'", "-", "@x", " x "])
def test_every_text_survives_a_csv_file(command, make_scope, write, text):
    scope = make_scope(slot=text)
    path = write(command("ai_export", "--format=csv"), "scopes.csv")
    scope.delete()
    command("ai_import", path)
    assert AIWorkflowScope.objects.get().ui_slot_selector_id == text


@pytest.mark.parametrize("only", ["prompts", "profiles", "scopes", "prompts,scopes"])
def test_only_some(command, site, only):
    assert list(yaml.safe_load(command("ai_export", f"--only={only}")))[2:] == only.split(",")


@pytest.mark.parametrize("args", [["--only=junk"], ["--format=csv", "--only=profiles"], ["-o", "/no/x"]])
def test_an_export_that_makes_no_sense(command, db, args):
    with pytest.raises(CommandError):
        command("ai_export", *args)


def test_entries_refer_to_each_other_and_a_dry_run_changes_nothing(command, db, write):
    path = write(HEAD + SCOPE + USING + PROMPT)
    text = command("ai_import", path, "--dry-run")
    assert "would be created: Profile mine" in text
    assert "3 created" in text
    assert state() == ([], [], [])
    command("ai_import", path)
    assert AIWorkflowScope.get_profile(COURSE_ID, None, SLOT).profile.slug == "mine"


def test_a_change_is_shown_as_a_difference_and_seen_by_widgets_at_once(command, make_scope, write):
    make_scope()
    assert AIWorkflowScope.get_profile(COURSE_ID, None, SLOT) is not None
    path = write(command("ai_export").replace("enabled: true", "enabled: false"))
    text = command("ai_import", path)
    assert "- enabled: true" in text
    assert "+ enabled: false" in text
    assert AIWorkflowScope.get_profile(COURSE_ID, None, SLOT) is None


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("", "must begin with", id="empty"),
        pytest.param("[1, 2]", "must begin with", id="a list"),
        pytest.param("a: [", "not valid YAML", id="not YAML"),
        pytest.param(b"\xff\xfe", "not UTF-8", id="not UTF-8"),
        pytest.param("format: openedx-ai-extensions\nversion: 2\n", "version 1", id="another version"),
        pytest.param(HEAD + "people: []\n", "Unknown sections: people", id="an unknown part"),
        pytest.param(HEAD + "prompts: 5\n", "prompts must be a list", id="no list"),
        pytest.param(HEAD + "prompts:\n- tutor\n", r"prompts, entry 1 \(line 4\)", id="no fields"),
        pytest.param(HEAD + PROMPT + "  extra: 1\n", r"\(line 4\): unknown fields: extra", id="an unknown field"),
        pytest.param(HEAD + "prompts:\n- slug: tutor\n", "body is missing", id="a missing field"),
        pytest.param(HEAD + "prompts:\n- slug: 5\n  body: x\n", "slug must be a text", id="a number"),
        pytest.param(HEAD + PROMPT + PROMPT, "prompts occurs twice", id="a part twice"),
        pytest.param(HEAD + PROMPT + "  body: x\n", "body occurs twice", id="a field twice"),
        pytest.param(HEAD + PROMPT + PROMPT[9:], r"\(line 6\): slug: another entry", id="an entry twice"),
        pytest.param(HEAD + "prompts: &a\n- *a\n", "references", id="a reference"),
        pytest.param(HEAD + "prompts: " + "[" * 99 + "]" * 99, "too deep", id="very deep"),
        pytest.param(HEAD + "prompts:\n- !!python/object/apply:os.getcwd []\n", "not valid YAML", id="code"),
        pytest.param(HEAD + SCOPE, "no such profile", id="no such profile"),
        pytest.param(HEAD + USING, "no prompt template", id="no such prompt"),
        pytest.param(HEAD + PROFILE + SCOPE.replace(COURSE_ID, "junk"), "not a course id", id="no course"),
        pytest.param(HEAD + PROFILE + SCOPE + "  location_regex: (\n", "location_regex: ", id="no pattern"),
        pytest.param(HEAD + PROFILE.replace("summary", "gone"), "base_filepath: ", id="no template"),
        pytest.param(HEAD + PROMPT + PROFILE + "  content_patch: '{'\n", "content_patch: ", id="no patch"),
        pytest.param(HEAD + PROFILE + "  content_patch: '{a: \"[REDACTED]\"}'\n", "credential", id="a masked value"),
    ],
)
def test_a_file_with_a_fault_is_refused_as_a_whole(command, db, write, content, words):
    path = write(content)
    with pytest.raises(CommandError, match=words) as refused:
        command("ai_import", path)
    assert str(refused.value).startswith("Nothing was imported.")
    assert state() == ([], [], [])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("", "first line", id="empty"),
        pytest.param("a,b\n1,2\n", "first line", id="other columns"),
        pytest.param("profile,profile\n", "each once", id="a column twice"),
        pytest.param("profile,junk,service_variant\nmine,1,lms\n", "line 2: unknown fields: junk", id="a column more"),
        pytest.param(COLUMNS + "mine\n", "line 2: 1 cells", id="too few cells"),
        pytest.param(COLUMNS + f"summary,,,lms,{SLOT},maybe\n", "line 2: enabled must be", id="neither yes nor no"),
        pytest.param(COLUMNS + f"summary,,,both,{SLOT},\n", "line 2: service_variant", id="an unknown service"),
        pytest.param(COLUMNS + f'summary,,"x,lms,{SLOT},\n', "not valid CSV", id="an open quote"),
    ],
)
def test_a_csv_file_with_a_fault_is_refused(command, make_scope, write, content, words):
    make_scope()
    with pytest.raises(CommandError, match=words):
        command("ai_import", write(content, "scopes.csv"))
    assert AIWorkflowScope.objects.count() == 1


def test_a_file_that_is_not_there(command, db):
    with pytest.raises(CommandError, match="No such file"):
        command("ai_import", "/no/such/file.yaml")


def test_a_very_large_file_is_not_read(command, db, write):
    with pytest.raises(CommandError, match="larger than"):
        command("ai_import", write(b"#" * 8_000_001))


@pytest.fixture
def with_credential(make_scope, provider):
    """A copy of the site's key in a patch, and in a prompt."""
    PromptTemplate.objects.create(slug="tutor", body=f"Say {SECRET}.")
    return make_scope(patch=json.dumps({"notes": {"api_key": "swordfish"}, "x": {"copy": SECRET}})).profile


def test_credentials_are_exported_only_when_asked_for(command, with_credential):
    errors = StringIO()
    text = command("ai_export", stderr=errors)
    assert SECRET not in text
    assert "swordfish" not in text
    assert "[REDACTED]" in text
    assert "texts with credentials replaced: 2" in errors.getvalue()
    assert SECRET in command("ai_export", "--with-secrets")


def test_what_was_masked_keeps_what_is_there(command, with_credential, write):
    before = state()
    text = command("ai_import", write(command("ai_export")))
    assert text.startswith("Nothing changes")
    assert state() == before


def test_what_was_masked_is_refused_where_it_is_not_known(command, with_credential, write):
    text = command("ai_export", "--only=profiles")
    with pytest.raises(CommandError, match=r"content_patch: a credential was replaced by \[REDACTED\]"):
        command("ai_import", write(text.replace("slug: summary", "slug: copied")))
    with pytest.raises(CommandError, match="a credential was replaced"):
        command("ai_import", write(text.replace('"notes"', '"noted"')))


def test_no_credential_in_a_difference(command, with_credential, write):
    text = command("ai_export", "--with-secrets").replace("swordfish", "trombone")
    shown = command("ai_import", write(text), "--dry-run")
    assert "content_patch: a credential changes" in shown
    assert "trombone" not in shown
    assert SECRET not in shown


def test_an_import_is_a_version_of_the_profile(command, make_scope, write):
    profile = make_scope().profile
    command("ai_import", write(command("ai_export").replace("description: summary", "description: new")))
    assert profile.versions.count() == 2
