"""The pages of import and export."""

import pytest
import yaml
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from tests.conftest import COURSE_ID, SLOT

pytestmark = pytest.mark.once
MODEL = "aiworkflowscope"
FILE = f"""format: openedx-ai-extensions
version: 1
prompts:
- slug: tutor
  body: Be <b>kind</b>.
profiles:
- slug: mine
  base_filepath: base/summary.json5
scopes:
- profile: mine
  course_id: {COURSE_ID}
  service_variant: lms
  ui_slot_selector_id: {SLOT}
"""
VIEW = ("view_aiworkflowscope", "view_aiworkflowprofile", "view_prompttemplate")


def upload(admin, content=FILE, name="file.yaml"):
    return admin.post(MODEL, "transfer_import", {"file": SimpleUploadedFile(name, content.encode())})


def confirm(admin, page):
    boxes = {box.get("name"): box.get("value") for box in page.find("//form[.//input[@name='fingerprint']]//input")}
    return admin.post(MODEL, "transfer_import", {name: value for name, value in boxes.items() if name})


def count():
    return [model.objects.count() for model in (PromptTemplate, AIWorkflowProfile, AIWorkflowScope)]


def download(admin, **query):
    url = "/admin/openedx_ai_extensions/aiworkflowscope/transfer/export/"
    return admin.client.get(url, {"only": ["prompts", "profiles", "scopes"], "file_format": "yaml", **query})


def test_a_file_is_looked_at_and_then_imported(admin, db):
    page = upload(admin)
    assert "3 created, 0 changed, 0 unchanged." in page.text
    assert "Be &lt;b&gt;kind&lt;/b&gt;." in page.source
    assert count() == [0, 0, 0]
    page = confirm(admin, page)
    assert page.messages == ["Imported: 3 created, 0 changed, 0 unchanged."]
    assert count() == [1, 1, 1]
    assert LogEntry.objects.count() == 3
    assert AIWorkflowProfile.objects.get().versions.get().user.username == "admin"
    assert AIWorkflowScope.get_profile(COURSE_ID, None, SLOT) is not None


def test_its_own_export_changes_nothing(admin, make_scope):
    make_scope()
    response = download(admin)
    assert response["Content-Disposition"] == 'attachment; filename="ai-workflows.yaml"'
    page = upload(admin, response.content.decode())
    assert "Nothing changes" in page.text
    assert not page.find("//input[@name='fingerprint']")


def test_a_change_in_between_is_looked_at_again(admin, db):
    page = upload(admin)
    PromptTemplate.objects.create(slug="tutor", body="Be strict.")
    page = confirm(admin, page)
    assert "something else has changed" in page.messages[0]
    assert "1 changed" in page.text
    assert "- body: Be strict." in page.text
    assert count() == [1, 0, 0]
    confirm(admin, page)
    assert count() == [1, 1, 1]


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (FILE.replace("summary", "gone"), "file.yaml", "profiles, entry 1 (line 7)"),
        (FILE.replace("lms", "both"), "file.yaml", "scopes, entry 1 (line 10): service_variant"),
        ("<html>", "file.yaml", "must begin with"),
        ("profile\nx", "scopes.csv", "service_variant is missing"),
    ],
)
def test_a_file_with_a_fault_changes_nothing(admin, db, content, name, words):
    page = upload(admin, content, name)
    assert words in page.text
    assert not page.find("//input[@name='fingerprint']")
    assert count() == [0, 0, 0]


def test_a_file_that_is_too_large(admin, db):
    assert "larger than" in upload(admin, "#" * 1_000_001).errors("file")[0]


@pytest.mark.parametrize("content", ["", "junk", "!!"])
def test_a_confirmation_that_was_tampered_with(admin, db, content):
    data = {"content": content, "file_format": "yaml", "fingerprint": "x"}
    page = admin.post(MODEL, "transfer_import", data)
    assert page.status == 200
    assert count() == [0, 0, 0]


@pytest.mark.parametrize(
    ("codenames", "words"),
    [
        (("add_aiworkflowscope", "add_aiworkflowprofile"), "You do not have permission for this: Prompt, created"),
        (("change_aiworkflowscope", "change_aiworkflowprofile", "change_prompttemplate"), "Profile, created"),
    ],
)
def test_nobody_imports_what_they_may_not_add(staff_with, codenames, words):
    clerk = staff_with(*VIEW, *codenames)
    assert words in upload(clerk).text
    assert count() == [0, 0, 0]


def test_whoever_may_only_look_may_not_import(staff_with):
    clerk = staff_with(*VIEW)
    assert not clerk.get(MODEL, "transfer").find("//input[@type='file']")
    assert clerk.client.post("/admin/openedx_ai_extensions/aiworkflowscope/transfer/import/").status_code == 403


def test_an_export_holds_what_a_person_may_see(staff_with, make_scope):
    make_scope(patch={"notes": {"api_key": "hidden"}})
    clerk = staff_with("view_aiworkflowscope")
    refused = download(clerk)
    assert refused["Content-Type"].startswith("text/html")
    assert set(yaml.safe_load(download(clerk, only=["scopes"]).content)) == {"format", "version", "scopes"}


@pytest.mark.parametrize(("with_secrets", "is_there"), [({}, False), ({"with_secrets": "on"}, True)])
def test_credentials_only_when_asked_for(admin, make_scope, with_secrets, is_there):
    make_scope(patch={"notes": {"api_key": "hidden"}})
    assert ("hidden" in download(admin, **with_secrets).content.decode()) is is_there


def test_credentials_are_for_those_who_may_change_profiles(staff_with, make_scope):
    make_scope(patch={"notes": {"api_key": "hidden"}})
    clerk = staff_with(*VIEW)
    assert not clerk.get(MODEL, "transfer").find("//input[@name='with_secrets']")
    assert "hidden" not in download(clerk, with_secrets="on").content.decode()


def test_scopes_as_csv(admin, make_scope):
    make_scope(location_regex="@vertical")
    text = download(admin, only=["scopes"], file_format="csv").content.decode()
    assert text.splitlines()[1] == f"summary,{COURSE_ID},'@vertical,lms,{SLOT},false,true"
    assert download(admin, only=["prompts"], file_format="csv")["Content-Type"].startswith("text/html")
