"""The versions of a profile: kept at every change, compared with now, and restored."""

from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowProfileVersion
from tests.admin.pages import Page
from tests.admin.test_profile import MODEL, TEMPLATE, typed
from tests.conftest import SECRET

BASE = "/admin/openedx_ai_extensions/aiworkflowprofile/"


@pytest.fixture
def profile(db) -> AIWorkflowProfile:
    return AIWorkflowProfile.objects.create(slug="mine", description="First", base_filepath=TEMPLATE)


def kept(profile, *names):
    """These fields of all versions, oldest first."""
    return list(profile.versions.order_by("number").values_list("number", *names))


def open_version(person, profile, number, *more):
    return Page(person.client.get("/".join([f"{BASE}{profile.pk}/versions/{number}", *more, ""])))


def restore(person, profile, number):
    return Page(person.client.post(f"{BASE}{profile.pk}/versions/{number}/restore/", follow=True))


def _save(profile):
    profile.description = "Second"
    profile.save()


def _save_one_field(profile):
    profile.description = "Second"
    profile.slug = "not-saved"
    profile.save(update_fields=["description"])


def _bulk_update(profile):
    profile.description = "Second"
    AIWorkflowProfile.objects.bulk_update([profile], ["description"])


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(_save, id="a save"),
        pytest.param(_save_one_field, id="a save of one field"),
        pytest.param(_bulk_update, id="a bulk update"),
        pytest.param(
            lambda _profile: AIWorkflowProfile.objects.filter(description="First").update(description="Second"),
            id="an update by what it changes",
        ),
        pytest.param(
            lambda _profile: AIWorkflowProfile.objects.update_or_create({"description": "Second"}, slug="mine"),
            id="update or create",
        ),
    ],
)
def test_every_change_is_kept_and_nothing_else(profile, change):
    change(profile)
    expected = [(1, "mine", "First", None), (2, "mine", "Second", None)]
    assert kept(profile, "slug", "description", "user") == expected
    AIWorkflowProfile.objects.get().save()
    assert kept(profile, "slug", "description", "user") == expected


def test_profiles_created_together_are_kept(db):
    AIWorkflowProfile.objects.bulk_create(
        [AIWorkflowProfile(slug=slug, base_filepath=TEMPLATE) for slug in ("one", "two")]
    )
    assert sorted(AIWorkflowProfileVersion.objects.values_list("profile__slug", "number")) == [("one", 1), ("two", 1)]


def test_a_save_that_is_refused_keeps_nothing(profile, admin):
    admin.post(MODEL, "change", typed(content_patch="{schema_version: '9'}"), pk=profile.pk)
    assert kept(profile) == [(1,)]


def test_profiles_from_before_have_their_present_state_as_first_version(profile):
    AIWorkflowProfileVersion.objects.all().delete()
    migration = import_module("openedx_ai_extensions.migrations.0006_profile_versions")
    migration.record_present_state(apps, SimpleNamespace(connection=connection))
    assert kept(profile, "slug", "description", "base_filepath", "user") == [(1, "mine", "First", TEMPLATE, None)]


def test_the_history_says_who_changed_what(admin, admin_user, profile):
    admin.post(MODEL, "change", typed(description="First", content_patch="// why\n{}"), pk=profile.pk)
    admin.post(MODEL, "change", typed(slug="ours", description="Other"), pk=profile.pk)
    page = admin.get(MODEL, "history", pk=profile.pk)
    rows = [
        [" ".join(cell.text_content().split()) for cell in row.xpath("th | td")]
        for row in page.find("//section[@aria-labelledby='aiext-versions']//tbody/tr")
    ]
    assert [(name, who, what) for name, _when, who, what in rows] == [
        ("Version 3", "admin", "slug, description, changes to the template"),
        ("Version 2", "admin", "changes to the template"),
        ("Version 1", "a command or program", "first stored version"),
    ]
    admin_user.delete()
    assert kept(profile, "user") == [(1, None), (2, None), (3, None)]


def test_a_long_history_has_pages(admin, profile):
    for number in range(51):
        AIWorkflowProfile.objects.update(description=f"Change {number}")
    first = admin.get(MODEL, "history", pk=profile.pk)
    last = admin.get(MODEL, "history", pk=profile.pk, versions="2")
    titles = "//section[@aria-labelledby='aiext-versions']//tbody//th"
    assert [len(page.find(titles)) for page in (first, last)] == [50, 2]
    assert "first stored version" not in first.text
    assert "first stored version" in last.text


def test_a_version_is_compared_with_now_and_restored_as_a_new_one(admin, admin_user, profile):
    patch = "{processor_config: {LLMProcessor: {stream: false}}}"
    admin.post(MODEL, "change", typed(slug="ours", content_patch=patch), pk=profile.pk)
    page = open_version(admin, profile, 1)
    assert "ours (changed)" in " ".join(page.text.split())
    differing = [
        cell.text_content() for cell in page.find("//tr[@class='aiext-differs']/td[contains(@class, 'right')]")
    ]
    assert any(patch in text for text in differing)
    assert any('"stream": false' in text for text in differing)

    asked = open_version(admin, profile, 1, "restore")
    assert "This changes what the workflow does." in asked.text
    assert "Not used by any scope." in asked.text
    assert kept(profile) == [(1,), (2,)], "asking changes nothing"

    page = restore(admin, profile, 1)
    assert "Version 1 is restored." in page.messages
    profile.refresh_from_db()
    assert (profile.slug, profile.content_patch) == ("mine", "")
    assert kept(profile, "slug", "user", "restored_from")[-1] == (3, "mine", admin_user.pk, 1)
    history = admin.get(MODEL, "history", pk=profile.pk).text
    assert "restored from version 1" in history
    assert "restored version" in history


@pytest.mark.parametrize("hindrance", ["slug", "template"])
def test_a_version_that_no_longer_fits_is_refused(admin, profile, site_templates, hindrance):
    old = (site_templates / "gone.json5", AIWorkflowProfile.objects.get(pk=profile.pk))
    old[0].write_text(
        (import_module("openedx_ai_extensions.core.conf").BUILT_IN_TEMPLATE_DIR / TEMPLATE).read_text("utf-8")
    )
    profile.base_filepath = "gone.json5"
    profile.save()
    profile.base_filepath, profile.slug = TEMPLATE, "ours"
    profile.save()
    if hindrance == "slug":
        AIWorkflowProfile.objects.create(slug="mine", base_filepath=TEMPLATE)
    else:
        old[0].unlink()
    page = restore(admin, profile, 2)
    assert "cannot be restored" in page.find("//*[@role='alert']")[0].text_content()
    profile.refresh_from_db()
    assert (profile.slug, profile.base_filepath) == ("ours", TEMPLATE)
    assert kept(profile)[-1] == (3,)


@pytest.mark.parametrize(
    ("permission", "statuses"),
    [
        pytest.param("view_aiworkflowprofile", (200, 403, 403), id="who may only look"),
        pytest.param("change_aiworkflowprofile", (200, 200, 200), id="who may change"),
        pytest.param("view_aiworkflowscope", (403, 403, 403), id="who may do something else"),
    ],
)
def test_who_may_look_and_who_may_restore(staff_with, profile, permission, statuses):
    AIWorkflowProfile.objects.update(description="Second")
    clerk = staff_with(permission)
    pages = open_version(clerk, profile, 1), open_version(clerk, profile, 1, "restore"), restore(clerk, profile, 1)
    assert tuple(page.status for page in pages) == statuses
    assert ("Restore this version" in pages[0].text) is (statuses[1] == 200)
    assert AIWorkflowProfile.objects.get().description == ("First" if statuses[2] == 200 else "Second")


@pytest.mark.parametrize("patch", ["{note: 'sk-aaaaaaaaaaaaaaaaaaaaaaaa'}", f"// {SECRET}\n{{}}", "{unreadable: "])
def test_who_may_only_look_sees_no_credential_of_the_past(staff_with, profile, provider, patch):
    AIWorkflowProfile.objects.update(content_patch=patch)
    AIWorkflowProfile.objects.update(content_patch="")
    page = open_version(staff_with("view_aiworkflowprofile"), profile, 2)
    assert page.status == 200
    assert not any(text in page.source for text in ("sk-aaaa", SECRET, "unreadable:"))


def test_versions_that_are_not_there(admin, profile):
    other = AIWorkflowProfile.objects.create(slug="other", base_filepath=TEMPLATE)
    AIWorkflowProfile.objects.filter(pk=other.pk).update(description="Twice")
    assert open_version(admin, profile, 2).status == 404
    assert open_version(admin, SimpleNamespace(pk=999), 1).status == 404
    assert open_version(admin, other, 2).status == 200


def test_versions_go_with_their_profile(staff_with, profile):
    clerk = staff_with("delete_aiworkflowprofile", "view_aiworkflowprofile")
    clerk.post(MODEL, "delete", {"post": "yes"}, pk=profile.pk)
    assert not AIWorkflowProfile.objects.exists()
    assert not AIWorkflowProfileVersion.objects.exists()
