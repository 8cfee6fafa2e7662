"""What runs in a course, why something is off, and the switch."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from openedx_ai_extensions.models import AIPause
from openedx_ai_extensions.workflows import resolution
from tests.admin.pages import Admin
from tests.api.conftest import Api
from tests.author.conftest import Pages, words
from tests.conftest import SLOT
from tests.rights.course import MAIN, OTHER, key

HERE = {"courseId": str(MAIN), "locationId": str(key("vertical/open")), "uiSlotSelectorId": SLOT}
THERE = {"courseId": str(OTHER), "locationId": str(key("vertical/open", OTHER)), "uiSlotSelectorId": SLOT}
HOURS = {"from_time": "00:00", "to_time": "00:00"}


def cards(page):
    """Name, state and place of each workflow, in order."""
    names = words(page, "//article//h3")
    states = words(page, "//article//*[contains(@class, 'state')]")
    places = words(page, "//article//dl/div[1]/dd/text()[1]/..")
    return [
        (name, state, place.partition(" See it in")[0])
        for name, state, place in zip(names, states, places, strict=True)
    ]


EVERYWHERE = "In the whole course."
BUT = "In the whole course, except where another workflow of this slot takes precedence."
NOWHERE = "Nowhere: another workflow of this slot takes precedence."


@pytest.mark.parametrize(
    ("scopes", "shown"),
    [
        pytest.param([], [], id="nothing is set up"),
        pytest.param([{}], [EVERYWHERE], id="the whole course"),
        pytest.param([{"course_id": None}], [EVERYWHERE], id="every course of the site"),
        pytest.param([{"course_id": OTHER}], [], id="another course"),
        pytest.param([{"enabled": False}], [], id="not enabled"),
        pytest.param([{"slot": ""}], [], id="no slot"),
        pytest.param([{"location_regex": "@(open|last)$"}], ["In 2 of 5 units."], id="two units"),
        pytest.param([{"location_regex": "nothing"}], ["In 0 of 5 units."], id="no unit"),
        pytest.param([{}, {"location_regex": "@open$"}], ["In 1 of 5 units.", BUT], id="a unit, and the rest"),
        pytest.param([{"course_id": None}, {}], [EVERYWHERE, NOWHERE], id="the course goes before the site"),
        pytest.param(
            [{"location_regex": "vertical"}, {"location_regex": "@open$"}],
            ["In 1 of 5 units.", "In 4 of 5 units."],
            id="the newer goes before the older",
        ),
        pytest.param([{"slot": "a"}, {"slot": "b"}], [EVERYWHERE, EVERYWHERE], id="two slots"),
        pytest.param([{"service_variant": "cms"}, {}], [EVERYWHERE, EVERYWHERE], id="two services"),
    ],
)
def test_where(as_author, in_main, scopes, shown):
    for number, scope in enumerate(scopes):
        in_main(f"p{number}", **scope)
    assert [place for _name, _state, place in cards(as_author.get())] == shown


def test_it_is_what_a_request_finds(as_author, learner, in_main, provider):
    """Who answers in a unit, according to the page and to a widget."""
    texts = {"whole": {}, "some": {"location_regex": "@(open|mixed)$"}, "one": {"location_regex": "@open$"}}
    for slug, fields in texts.items():
        component = {"component": slug, "config": {}}
        in_main(slug, patch={"actuator_config": {"UIComponents": {"request": component}}}, **fields)
    page = as_author.get()
    for unit in ("open", "mixed", "last"):
        context = {**HERE, "locationId": str(key(f"vertical/{unit}"))}
        answering = Api(learner).profile(context).json()["ui_components"]["request"]["component"]
        listed = words(page, f"//article[.//h3='{answering}']//details//li")
        assert answering == "whole" or any(unit in name.lower() for name in listed)


def test_links_lead_to_a_unit(as_author, in_main):
    in_main("one", location_regex="@last$")
    in_main("author", service_variant="cms", slot="studio")
    page = as_author.get()
    links = page.find("//article//a[contains(., 'See it in')]/@href")
    assert [link.rpartition("@")[2] for link in links] == ["last"]
    assert links[0].startswith("http://lms.example.com/")


def test_a_hostile_pattern_holds_up_nobody(as_author, in_main, monkeypatch):
    monkeypatch.setattr(resolution, "MATCH_TIMEOUT", 0.005)
    in_main("hostile", location_regex=r"(a|a|o|v|l|.)*(\w|\w\w)*\d\d\d\d$")
    in_main("whole")
    began = time.thread_time()
    shown = cards(as_author.get())
    assert time.thread_time() - began < 20
    assert [name for name, _state, _place in shown] == ["hostile", "whole"]
    assert "takes too long" in shown[0][2]


@pytest.mark.parametrize(
    ("pause", "state", "reason"),
    [
        pytest.param(None, "On", "", id="nothing in the way"),
        pytest.param({}, "Off", "paused all AI on the site", id="the site is paused"),
        pytest.param({"course_id": MAIN}, "Off", "paused all AI in this course", id="the course is paused"),
        pytest.param({"course_id": OTHER}, "On", "", id="another course is paused"),
        pytest.param({"profile": True}, "Off", "paused this workflow", id="the workflow is paused"),
        pytest.param({"message": "Exams!"}, "Off", "People read: “Exams!”", id="with a message"),
        pytest.param(HOURS, "Off", "These are quiet hours.", id="quiet hours"),
        pytest.param({"location_regex": "@open$"}, "Off at some locations", "match “@open$”", id="a place"),
        pytest.param({"enabled": False}, "On", "", id="a pause that is over"),
        pytest.param({"ends": True}, "Off", "It ends", id="a pause with an end"),
    ],
)
def test_why_it_is_off(as_author, in_main, pause, state, reason):
    scope = in_main()
    if pause is not None:
        fields = {**pause, **({"profile": scope.profile} if pause.get("profile") else {})}
        if fields.pop("ends", False):
            fields["ends_at"] = timezone.now() + timedelta(hours=2)
        AIPause.objects.create(**fields)
    page = as_author.get()
    assert cards(page)[0][1] == state
    assert reason in " ".join(words(page, "//ul[@class='reasons']/li"))


def test_the_kill_switch_and_a_broken_profile(as_author, in_main, settings, tmp_path):
    settings.AI_EXTENSIONS_ENABLED = False
    in_main()
    assert "AI is switched off on the whole site." in as_author.get().text
    settings.AI_EXTENSIONS_ENABLED = True
    settings.WORKFLOW_TEMPLATE_DIRS = [tmp_path]
    page = as_author.get()
    assert cards(page)[0][1] == "Off"
    assert "Its configuration is broken." in page.text


def works(user, context) -> tuple[bool, int]:
    """Is the widget there, and what does a run answer?"""
    api = Api(user)
    return "ui_components" in api.profile(context).json(), api.run("Why?", context=context).status_code


def test_off_and_on_again(as_author, learner, author, people, make_scope, provider):
    """Only in this course, at once, and written down."""
    scope = make_scope(course_id=None)
    before = {name: value for name, value in vars(scope).items() if name != "_state"}
    assert (works(learner, HERE), works(people["stranger"], THERE)) == ((True, 200), (True, 200))
    page = as_author.switch(scope, "off")
    assert words(page, "//*[@role='status']") == ["“summary” is turned off in this course."]
    assert "Turned off for this course by author" in page.text
    assert (works(learner, HERE), works(author, HERE)) == ((False, 403), (False, 403))
    assert works(people["stranger"], THERE) == (True, 200)
    assert as_author.switch(scope, "off").find("//button[@value='on']")
    assert cards(as_author.switch(scope, "on"))[0][1] == "On"
    assert works(learner, HERE) == (True, 200)
    pause = AIPause.objects.get()
    assert (pause.enabled, pause.switched_by, pause.is_of_course_staff) == (False, author, True)
    entries = LogEntry.objects.order_by("pk").values_list("user__username", "change_message")
    off = ("author", "Turned off by course staff.")
    assert list(entries) == [off, off, ("author", "Turned on by course staff.")]
    scope.refresh_from_db()
    assert {name: getattr(scope, name) for name in before if not name.startswith("_")} == {
        name: value for name, value in before.items() if not name.startswith("_")
    }


def test_what_operators_paused_stays_paused(as_author, learner, in_main, provider):
    scope = in_main()
    operators = AIPause.objects.create(course_id=MAIN, profile=scope.profile, message="Not here.")
    assert not as_author.get().find("//button[@value='on']")
    as_author.switch(scope, "off")
    as_author.switch(scope, "on")
    operators.refresh_from_db()
    assert operators.enabled
    assert works(learner, HERE) == (False, 403)


def test_what_operators_take_over_is_theirs(as_author, admin_user, in_main):
    scope = in_main()
    as_author.switch(scope, "off")
    pause = AIPause.objects.get()
    admin = Admin(admin_user)
    form = {"enabled": "on", "message": "No.", "course_id": str(MAIN), "profile": scope.profile_id}
    assert admin.post("aipause", "change", form, pause.pk).status == 200
    assert not as_author.get().find("//button[@value='on']")
    as_author.switch(scope, "on")
    pause.refresh_from_db()
    assert (pause.enabled, pause.message) == (True, "No.")


def test_two_who_turn_it_off_at_once(as_author, in_main):
    scope = in_main()
    for _person in range(2):
        AIPause.objects.create(course_id=MAIN, profile=scope.profile, is_of_course_staff=True)
    assert cards(as_author.switch(scope, "on"))[0][1] == "On"
    assert not AIPause.objects.filter(enabled=True).exists()


def test_in_studio(as_author, author, in_main, settings, provider):
    scope = in_main(service_variant="cms")
    settings.SERVICE_VARIANT = "cms"
    assert works(author, HERE) == (True, 200)
    as_author.switch(scope, "off")
    assert works(author, HERE) == (False, 403)


def test_as_many_queries_for_one_scope_as_for_thirty(as_author, in_main):
    def queries() -> int:
        as_author.get()
        with CaptureQueriesContext(
            connection,
        ) as captured:
            as_author.get()
        return len(captured)

    in_main("first")
    few = queries()
    for number in range(30):
        scope = in_main(f"p{number}", slot=f"slot-{number % 7}", location_regex=f"@{number}$")
        AIPause.objects.create(course_id=MAIN, profile=scope.profile, is_of_course_staff=True)
    assert queries() == few
    assert few <= 8


def test_words_of_others_are_only_text(as_author, in_main):
    in_main("evil", location_regex="<script>alert(1)</script>", slot="<b>slot")
    page = as_author.get()
    assert not page.find("//main//script")
    assert not page.find("//main//b")
    assert not page.find("//*[@style]")


def test_the_page_of_nobody_s_language(author, courses, in_main):
    in_main()
    pages = Pages(author, headers={"Accept-Language": "ar"})
    assert pages.get().find("/html/@dir") == ["rtl"]
