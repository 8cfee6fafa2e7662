"""The admin pages of scopes."""

import pytest
from django.db.models import QuerySet

from openedx_ai_extensions.models import AIWorkflowScope
from tests.conftest import COURSE_ID, SLOT

MODEL = "aiworkflowscope"
INPUTS = ("profile", "enabled", "service_variant", "ui_slot_selector_id", "course_id", "location_regex")


@pytest.fixture
def profile(make_scope):
    scope = make_scope(slot="another-slot")
    scope.delete()
    return scope.profile


def typed(profile, **fields):
    return {
        "profile": profile.pk,
        "enabled": "on",
        "service_variant": "lms",
        "ui_slot_selector_id": SLOT,
        "course_id": COURSE_ID,
        "location_regex": "",
        **fields,
    }


def test_a_scope_is_added_changed_and_deleted(admin, profile):
    page = admin.post(MODEL, "add", typed(profile))
    scope = AIWorkflowScope.objects.get()
    assert "was added successfully" in page.messages[-1]
    assert (str(scope.course_id), scope.enabled, scope.profile) == (COURSE_ID, True, profile)

    admin.post(MODEL, "change", typed(profile, course_id="", location_regex="unit_", enabled=""), pk=scope.pk)
    scope = AIWorkflowScope.objects.get()
    assert (scope.course_id, scope.location_regex, scope.enabled) == (None, "unit_", False)

    admin.post(MODEL, "delete", {"post": "yes"}, pk=scope.pk)
    assert not AIWorkflowScope.objects.exists()


def test_a_saved_scope_is_what_the_widget_gets(admin, profile):
    assert AIWorkflowScope.get_profile(COURSE_ID, None, SLOT) is None
    admin.post(MODEL, "add", typed(profile))
    assert AIWorkflowScope.get_profile(COURSE_ID, None, SLOT).profile == profile


@pytest.mark.parametrize(
    "course_id",
    [
        "junk",
        "course-v1:OpenedX",
        "block-v1:OpenedX+AIX+demo+type@vertical+block@unit_sunlight",
        "course-v1:OpenedX+AIX+demo\nmore",
        "course-v1:OpenedX+AIX+demo\x00",
        "course-v1%3AOpenedX%2BAIX%2Bdemo",
        "course-v1:OpenedX AIX demo",
        "course-v1:" + "+".join("x" * 100 for _ in range(3)),
        "<script>alert(1)</script>",
    ],
    ids=[
        "junk",
        "too short",
        "a usage key",
        "two lines",
        "a NUL",
        "percent-encoded",
        "spaces for plus signs",
        "too long",
        "a script",
    ],
)
@pytest.mark.parametrize("page_name", ["add", "change"])
def test_a_bad_course_id_is_an_error_beside_the_field(admin, make_scope, page_name, course_id):
    scope = make_scope(slot="another-slot")
    pk = scope.pk if page_name == "change" else None
    page = admin.post(MODEL, page_name, typed(scope.profile, course_id=course_id), pk=pk)
    assert page.status == 200
    assert len(page.errors("course_id")) == 1
    assert "<script>alert" not in page.source
    assert not AIWorkflowScope.objects.filter(ui_slot_selector_id=SLOT).exists()


@pytest.mark.parametrize("course_id", ["course-v1%3AOpenedX%2BAIX%2Bdemo", "course-v1:OpenedX AIX demo"])
def test_a_mangled_course_id_comes_with_the_right_one(admin, profile, course_id):
    (error,) = admin.post(MODEL, "add", typed(profile, course_id=course_id)).errors("course_id")
    assert f"Did you mean {COURSE_ID}?" in error


def test_spaces_and_line_ends_around_a_course_id_are_dropped(admin, profile):
    admin.post(MODEL, "add", typed(profile, course_id=f"  {COURSE_ID}\r\n"))
    assert str(AIWorkflowScope.objects.get().course_id) == COURSE_ID


def test_a_bad_pattern_is_an_error_beside_the_field(admin, profile):
    page = admin.post(MODEL, "add", typed(profile, location_regex="unit_("))
    assert len(page.errors("location_regex")) == 1
    assert page.value("location_regex") == "unit_("
    assert not AIWorkflowScope.objects.exists()


def test_every_input_has_a_label_and_a_help_text(admin, make_scope):
    page = admin.get(MODEL, "change", pk=make_scope().pk)
    for name in INPUTS:
        (label,) = page.find(f"//label[@for='{page.input(name).get('id')}']")
        assert label.text_content().strip(), name
        assert page.field(name, "//*[contains(@class, 'help')]")[0].text_content().strip(), name


def test_the_slots_of_the_site_are_suggested(admin, settings):
    settings.OPENEDX_AI_EXTENSIONS_UI_SLOT_IDS = ["unit-summary", 'a "quoted" slot']
    page = admin.get(MODEL, "add")
    list_id = page.input("ui_slot_selector_id").get("list")
    assert page.find(f"//datalist[@id='{list_id}']/option/@value") == ["unit-summary", 'a "quoted" slot']


def test_without_the_setting_nothing_is_suggested(admin):
    assert admin.get(MODEL, "add").find("//datalist/option") == []


@pytest.fixture
def three(make_scope):
    make_scope(slug="one", slot="slot-one", enabled=False)
    make_scope(slug="two", slot="slot-two", course_id=None)
    make_scope(slug="three", slot="slot-three", course_id="course-v1:Other+X+1", service_variant="cms")


def test_the_list_says_where_each_profile_answers(admin, three):
    page = admin.get(MODEL)
    rows = dict(
        zip(
            page.column("ui_slot_selector_id"),
            zip(page.column("course"), page.column("service_variant"), page.column("profile"), strict=True),
            strict=True,
        )
    )
    assert {slot: row[:2] for slot, row in rows.items()} == {
        "slot-one": (COURSE_ID, "LMS"),
        "slot-two": ("Every course", "LMS"),
        "slot-three": ("course-v1:Other+X+1", "CMS - Studio"),
    }
    assert len(page.column("specificity_index")) == 3


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "OpenedX+AIX"}, {"slot-one"}),
        ({"q": "slot-t"}, {"slot-two", "slot-three"}),
        ({"q": "three"}, {"slot-three"}),
        ({"enabled__exact": "0"}, {"slot-one"}),
        ({"service_variant__exact": "cms"}, {"slot-three"}),
        ({"ui_slot_selector_id": "slot-two"}, {"slot-two"}),
    ],
    ids=["by course", "by slot", "by profile", "not enabled", "in Studio", "by slot's filter"],
)
def test_the_list_is_searched_and_filtered(admin, three, query, found):
    assert set(admin.get(MODEL, **query).column("ui_slot_selector_id")) == found


@pytest.mark.parametrize("query", [{"course_id": "junk"}, {"course_id__isnull": "True"}, {"course_id__exact": "%00"}])
def test_a_filter_that_the_list_does_not_offer_is_a_bad_request(admin, three, query):
    assert admin.get(MODEL, **query).status == 400


def pks(*slots):
    return list(AIWorkflowScope.objects.filter(ui_slot_selector_id__in=slots).values_list("pk", flat=True))


def enabled():
    return set(AIWorkflowScope.objects.filter(enabled=True).values_list("ui_slot_selector_id", flat=True))


@pytest.mark.parametrize(
    ("action", "message", "left"),
    [
        ("enable", "2 scopes are enabled.", {"slot-one", "slot-two", "slot-three"}),
        ("disable", "2 scopes are disabled.", {"slot-three"}),
    ],
)
def test_scopes_are_switched_together(admin, three, action, message, left):
    page = admin.act(MODEL, action, pks("slot-one", "slot-two"))
    assert page.messages == [message]
    assert enabled() == left


def test_switching_is_seen_by_widgets_at_once(admin, make_scope):
    scope = make_scope()
    assert AIWorkflowScope.get_profile(COURSE_ID, None, SLOT) is not None
    admin.act(MODEL, "disable", [scope.pk])
    assert AIWorkflowScope.get_profile(COURSE_ID, None, SLOT) is None


def test_one_invalid_scope_keeps_all_as_they_were_and_is_named(admin, three):
    # Written past the model's validation, as an old version or an SQL console would.
    QuerySet(AIWorkflowScope).filter(ui_slot_selector_id="slot-three").update(location_regex="(")
    page = admin.act(MODEL, "disable", pks("slot-two", "slot-three"))
    assert enabled() == {"slot-two", "slot-three"}
    assert any("slot-three" in message for message in page.messages)
    assert not any("slot-two" in message for message in page.messages)
    assert page.messages[-1].startswith("Nothing was changed.")


def test_scopes_are_deleted_together(admin, three):
    data = {"action": "delete_selected", "_selected_action": pks("slot-one", "slot-two"), "post": "yes"}
    admin.post(MODEL, "changelist", data)
    assert pks("slot-one", "slot-two", "slot-three") == pks("slot-three")


def test_a_scope_of_a_broken_profile_is_listed_and_opened(admin, broken_profile):
    scope = AIWorkflowScope.objects.get(profile=broken_profile)
    assert admin.get(MODEL).column("ui_slot_selector_id") == ["broken-slot"]
    assert admin.get(MODEL, "change", pk=scope.pk).status == 200
