"""Sessions in the admin: found quickly, read only by those who may, and never without a trace."""

import json
import logging
import re
from datetime import datetime

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.db import DatabaseError, connection
from django.db.models.signals import pre_save
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowSession
from openedx_ai_extensions.workflows.template_utils import load_template
from tests.conftest import COURSE_ID, SECRET, UNIT_ID
from tests.fakes.steps import CallTools, Say, ToolCall
from tests.workflows.conversations.conftest import CHAT, Chat

pytestmark = pytest.mark.django_db

MODEL = "aiworkflowsession"
THREADS = ["local", "remote", "combined"]
OTHER_COURSE = "course-v1:OpenedX+Other+2026"


@pytest.fixture
def chat(learner, provider, make_scope, settings) -> Chat:
    """A conversation with a provider that remembers it too."""
    entry = settings.AI_EXTENSIONS["default"]
    settings.AI_EXTENSIONS = {"default": {**entry, "CAPABILITIES": {"keeps_threads": True}}}
    tools = {"processor_config": {"LLMProcessor": {"enabled_tools": ["roll_dice"]}}}
    make_scope(base_filepath=CHAT, slug="chat", patch=tools)
    return Chat(learner)


@pytest.fixture
def spoken(chat, provider) -> Chat:
    provider.reply("Chlorophyll.")
    chat.answer("Why green?")
    return chat


@pytest.fixture
def make_session(make_scope):
    """A session without a conversation."""

    def make(number=0, *, course_id=COURSE_ID, user=None, scope=None):
        person = user or get_user_model().objects.create_user(f"person{number}", f"mail{number}@example.com")
        return AIWorkflowSession.objects.for_context(
            user=person,
            scope=scope or make_scope(slug=f"profile{number}"),
            course_id=CourseKey.from_string(course_id) if course_id else None,
        )

    return make


@pytest.fixture
def reader(staff_with):
    return staff_with("view_aiworkflowsession", "view_transcript")


def open_page(person, session, thread=None):
    return person.get(MODEL, "change", pk=session.pk, **({"thread": thread} if thread else {}))


def said(page):
    """Speaker and text of each message, folded texts included."""
    items = page.find("//ol[@class='aiext-messages']/li")
    return [
        (item.xpath(".//h3")[0].text_content(), "".join(item.xpath(".//div[@class='aiext-text']/text()")))
        for item in items
    ]


def views():
    return [
        (entry.user.username, entry.object_id, json.loads(entry.change_message)[0]["added"]["object"])
        for entry in LogEntry.objects.select_related("user").order_by("pk")
    ]


# The list


def test_the_list_tells_who_where_and_when_but_nothing_that_was_said(admin, spoken):
    AIWorkflowSession.objects.update(metadata={"draft": "my secret draft"})
    page = admin.get(MODEL)
    assert page.column("user") == ["learner"]
    assert page.column("profile") == ["chat"]
    assert page.column("course_id") == [COURSE_ID]
    assert page.column("location_id") == [UNIT_ID]
    assert page.column("updated_at")[0]
    for text in ("green", "Chlorophyll", "draft"):
        assert text not in page.source
    assert LogEntry.objects.count() == 0


def test_a_longer_list_costs_no_more_queries_and_never_counts_all(admin, make_session, make_scope):
    scopes = [make_scope(slug=f"profile{number}") for number in range(3)]

    def queries(total):
        for number in range(AIWorkflowSession.objects.count(), total):
            make_session(number, scope=scopes[number % 3])
        with CaptureQueriesContext(connection) as captured:
            page = admin.get(MODEL)
        assert len(page.column("user")) == min(total, 50)
        return captured

    queries(3)
    few, many = queries(3), queries(120)
    assert len(few) == len(many)
    assert not any("metadata" in query["sql"] for query in many)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("person1", ["person1"]),
        ("PERSON", ["person0", "person1"]),
        ("mail0@example.com", ["person0"]),
        ("mail1", ["person1"]),
        ("a+b@example.com", []),
        (OTHER_COURSE, ["person1"]),
        ("course-v1:OpenedX+", ["person0", "person1"]),
        ("person0 course-v1:OpenedX+Other", []),
        ("person1 course-v1:OpenedX+Other", ["person1"]),
        ("erson", []),
        ("%", []),
        ("course-v1:%", []),
    ],
)
def test_searching_by_the_beginning_of_a_name_an_address_or_a_course(admin, make_session, words, found):
    make_session(0)
    make_session(1, course_id=OTHER_COURSE)
    assert sorted(admin.get(MODEL, q=words).column("user")) == found


@pytest.mark.parametrize("word", ["person1", OTHER_COURSE])
def test_a_search_asks_one_table_at_a_time(admin, make_session, word):
    """An OR over two tables is what no index answers."""
    make_session(1, course_id=OTHER_COURSE)
    with CaptureQueriesContext(connection) as captured:
        admin.get(MODEL, q=word)
    (counting,) = [
        query["sql"] for query in captured if "COUNT(" in query["sql"] and "aiworkflowsession" in query["sql"]
    ]
    assert ("auth_user" in counting) != ("course_id" in counting)


def test_filtering_by_course_profile_and_person(admin, make_session):
    first, second = make_session(0), make_session(1, course_id=OTHER_COURSE)
    make_session(2, course_id=None)
    page = admin.get(MODEL)
    links = [link.text_content().strip() for link in page.find("//*[@id='changelist-filter']//a")]
    assert {COURSE_ID, OTHER_COURSE, "profile0", "profile1"} <= set(links)
    assert admin.get(MODEL, course_id=OTHER_COURSE).column("user") == ["person1"]
    assert admin.get(MODEL, profile__id__exact=str(first.profile_id)).column("user") == ["person0"]
    assert admin.get(MODEL, user__id__exact=str(second.user_id)).column("user") == ["person1"]
    (others,) = open_page(admin, second).field("sessions_of_person", "//a/@href")
    assert others.endswith(f"?user__id__exact={second.user_id}")


@pytest.mark.parametrize("course", ["course-v1:Nobody+Is+here", "not a key", "'"])
def test_a_course_without_sessions_has_an_empty_list(admin, make_session, course):
    make_session()
    page = admin.get(MODEL, course_id=course)
    assert (page.status, page.column("user")) == (200, [])


def test_the_course_filter_stays_short(admin, make_session, make_scope, learner):
    scope = make_scope()
    for number in range(40):
        make_session(course_id=f"course-v1:OpenedX+Many+{number:03}", user=learner, scope=scope)
    links = admin.get(MODEL).find("//*[@id='changelist-filter']//a[contains(@href, 'course_id=')]")
    assert len(links) == 30
    oldest = "course-v1:OpenedX+Many+000"
    page = admin.get(MODEL, course_id=oldest)
    assert page.column("course_id") == [oldest]
    assert page.find("//*[@id='changelist-filter']//li[@class='selected']/a[contains(., 'Many+000')]")


def test_the_newest_come_first(admin, make_session):
    make_session(0)
    make_session(1)
    AIWorkflowSession.objects.get(user__username="person0").save()
    assert admin.get(MODEL).column("user") == ["person0", "person1"]


# The transcript


def test_each_thread_as_it_is(admin, spoken):
    conversation = [("Learner", "Why green?"), ("AI", "Chlorophyll.")]
    session = spoken.session
    assert said(open_page(admin, session)) == conversation
    for thread in ("remote", "combined"):
        (instructions, _text), *rest = said(open_page(admin, session, thread))
        assert (instructions, rest) == ("Instructions", conversation)


@pytest.mark.parametrize(("asked", "current"), [(None, "This site"), ("remote", "Provider"), ("nonsense", "This site")])
def test_the_tabs_say_where_one_is(admin, spoken, asked, current):
    page = open_page(admin, spoken.session, asked)
    links = page.find("//nav[@aria-label='Threads']//a")
    assert [link.get("href").split("#")[0] for link in links] == [f"?thread={thread}" for thread in THREADS]
    assert [link.text_content() for link in links if link.get("aria-current") == "page"] == [current]


def test_the_provider_is_only_asked_when_its_part_is_wanted(admin, spoken, provider):
    open_page(admin, spoken.session)
    assert provider.lookups == []
    open_page(admin, spoken.session, "remote")
    assert provider.lookups


def test_a_message_has_a_time_for_machines_and_its_submission(admin, spoken):
    page = open_page(admin, spoken.session)
    first = spoken.session.get_local_thread()[0]
    (time, *_others) = page.find("//ol//time/@datetime")
    assert datetime.fromisoformat(time) == datetime.fromisoformat(first["timestamp"])
    assert page.find("//ol/li[1]//small")[0].text_content() == first["submission_id"]


@pytest.mark.parametrize("thread", THREADS)
def test_tools_with_their_names_arguments_and_results(admin, chat, provider, thread):
    provider.then(CallTools(ToolCall("roll_dice", {"sides": 6})), Say("You rolled."))
    chat.answer("Roll!")
    page = open_page(admin, chat.session, thread)
    summaries = [summary.text_content() for summary in page.find("//ol//summary")]
    assert "Calls roll_dice" in summaries
    assert "Result of roll_dice" in summaries
    (arguments,) = page.find("//ol//details/pre/text()")
    assert json.loads(arguments) == {"sides": 6}
    (result,) = page.find("//ol//details[summary='Result of roll_dice']/div/text()")
    assert "rolls" in result
    assert "<tool_result>" not in result


@pytest.mark.parametrize("thread", ["local", "combined"])
def test_the_places_that_an_answer_cites(admin, spoken, provider, thread):
    label = re.search(r"【\d{5}】", json.dumps(provider.requests[-1], ensure_ascii=False))[0]
    provider.reply(f"Light {label} and water {label}.")
    spoken.answer("And then?")
    page = open_page(admin, spoken.session, thread)
    (source,) = page.find("//ol//ol/li")
    assert source.get("value") == "1"
    assert source.text_content().strip() == "Sunlight, water and air"
    assert "unit_sunlight" in source.find("a").get("href")
    assert "Light and water." in page.text


def test_how_an_answer_ended_is_said_in_words(admin, chat, provider):
    provider.reply(["One ", "two ", "three"])
    provider.cut_after(2)
    chat.stream("Count!")
    assert "Interrupted: the answer is not complete" in open_page(admin, chat.session).text


@pytest.mark.parametrize("thread", THREADS)
def test_what_was_said_is_text_and_never_markup(admin, chat, provider, thread):
    attack = "<script>alert(1)</script><img src=x onerror=alert(2)> {{ 7|add:7 }} </div>"
    provider.reply(attack)
    chat.answer(attack)
    page = open_page(admin, chat.session, thread)
    assert [text for speaker, text in said(page) if speaker != "Instructions"] == [attack, attack]
    assert not page.find("//ol//script | //ol//img")
    assert all(element.get("dir") == "auto" for element in page.find("//*[@class='aiext-text']"))


def test_no_credential_is_ever_shown(admin, chat, provider):
    call = ToolCall("roll_dice", {"sides": 6, "api_key": "hush-hush"})
    provider.then(CallTools(call), Say(f"The key is {SECRET}."))
    chat.answer(f"Is it {SECRET}?")
    for thread in THREADS:
        page = open_page(admin, chat.session, thread)
        assert page.status == 200
        assert "[REDACTED]" in page.text
        assert SECRET not in page.source
        assert "hush-hush" not in page.source


def test_a_session_in_which_nothing_was_said(admin, make_session):
    session = make_session()
    for thread in THREADS:
        assert "This thread has no messages." in open_page(admin, session, thread).text


# Who may


@pytest.mark.parametrize("codenames", [(), ("view_transcript",)], ids=["nobody", "with the transcript's only"])
def test_without_the_right_to_see_sessions_there_is_nothing(staff_with, spoken, codenames):
    clerk = staff_with(*codenames)
    assert clerk.get(MODEL).status == 403
    for thread in (None, *THREADS):
        assert open_page(clerk, spoken.session, thread).status == 403
    assert LogEntry.objects.count() == 0


def test_who_may_see_sessions_only_gets_facts_and_hears_what_is_missing(staff_with, spoken, provider):
    clerk = staff_with("view_aiworkflowsession")
    assert clerk.get(MODEL).column("user") == ["learner"]
    page = open_page(clerk, spoken.session)
    assert page.shown("course_id") == COURSE_ID
    assert "openedx_ai_extensions.view_transcript" in page.text
    assert "green" not in page.source
    assert not page.find("//nav[@aria-label='Threads']")
    for thread in (*THREADS, "nonsense"):
        refused = open_page(clerk, spoken.session, thread)
        assert refused.status == 403
        assert "green" not in refused.source
    assert LogEntry.objects.count() == 0
    assert provider.lookups == []


def test_who_may_read_transcripts_reads_them(reader, spoken):
    for thread in THREADS:
        assert ("Learner", "Why green?") in said(open_page(reader, spoken.session, thread))


def test_nobody_changes_anything(admin, spoken):
    session = spoken.session
    assert admin.get(MODEL, "add").status == 403
    assert admin.get(MODEL, "delete", pk=session.pk).status == 403
    assert admin.post(MODEL, "change", {"course_id": ""}, pk=session.pk).status == 403
    admin.act(MODEL, "delete_selected", [session.pk])
    page = open_page(admin, session)
    assert not page.find("//div[@id='content']//*[self::textarea or self::select or @type='submit']")
    assert AIWorkflowSession.objects.get().course_id == session.course_id


def test_a_session_still_goes_with_its_profile(admin, staff_with, spoken):
    profile = AIWorkflowProfile.objects.get(slug="chat")
    clerk = staff_with("view_aiworkflowprofile", "delete_aiworkflowprofile", "delete_aiworkflowscope")
    assert clerk.post("aiworkflowprofile", "delete", {"post": "yes"}, pk=profile.pk).status == 403
    assert admin.post("aiworkflowprofile", "delete", {"post": "yes"}, pk=profile.pk).status == 200
    assert not AIWorkflowSession.objects.exists()


# The trace


def test_every_view_is_recorded(reader, spoken, caplog):
    caplog.set_level(logging.INFO, logger="openedx_ai_extensions")
    session = spoken.session
    for thread in (None, *THREADS, "local"):
        open_page(reader, session, thread)
    expected = ["local", *THREADS, "local"]
    assert views() == [("clerk", str(session.pk), thread) for thread in expected]
    assert {entry.action_flag for entry in LogEntry.objects.all()} == {CHANGE}
    viewer = get_user_model().objects.get(username="clerk").pk
    lines = [record.getMessage() for record in caplog.records if "session.transcript" in record.getMessage()]
    assert lines == [
        f"session.transcript.viewed session={session.pk} viewer={viewer} thread={thread}" for thread in expected
    ]


def test_the_history_shows_who_looked_in_each_readers_language(reader, spoken):
    session = spoken.session
    open_page(reader, session, "remote")
    page = reader.get(MODEL, "history", pk=session.pk)
    assert "clerk" in page.text
    assert "Added transcript view “remote”." in page.text
    assert open_page(reader, session).find("//section//a[contains(@href, '/history/')]")
    with translation.override("de"):
        assert "hinzugefügt" in LogEntry.objects.latest("pk").get_change_message()


def test_the_record_is_there_before_the_provider_is_asked(admin, spoken, monkeypatch):
    seen = []
    monkeypatch.setattr(AIWorkflowSession, "get_remote_thread", lambda _session: seen.extend(views()))
    open_page(admin, spoken.session, "remote")
    assert [thread for _who, _which, thread in seen] == ["remote"]


@pytest.mark.parametrize("thread", THREADS)
def test_what_cannot_be_recorded_is_not_shown(admin, spoken, provider, thread, caplog):
    def refuse(**_kwargs):
        raise DatabaseError("read-only: secret value")

    pre_save.connect(refuse, sender=LogEntry)
    try:
        page = open_page(admin, spoken.session, thread)
    finally:
        pre_save.disconnect(refuse, sender=LogEntry)
    assert page.status == 200
    assert "could not be recorded" in page.text
    assert "green" not in page.source
    assert provider.lookups == []
    assert "session.transcript.unrecorded" in caplog.text
    assert "session.transcript.viewed" not in caplog.text
    assert "secret value" not in caplog.text


# What goes wrong


@pytest.mark.parametrize("failure", ["lost", "down", "garbage", "no such provider"])
def test_a_provider_that_fails_is_a_sentence(admin, spoken, provider, settings, failure):
    session = spoken.session
    if failure == "lost":
        provider.forget_threads()
    elif failure == "down":
        settings.AI_EXTENSIONS = {"default": {**settings.AI_EXTENSIONS["default"], "API_BASE": "http://127.0.0.1:9/v1"}}
    elif failure == "garbage":
        session.remote_response_id = "../../models"
        session.save()
    else:
        settings.AI_EXTENSIONS = {}
    page = open_page(admin, session, "remote")
    assert page.status == 200
    ((speaker, text),) = said(page)
    assert speaker == "Missing"
    assert "neither are the ones before it. The AI " in text
    page = open_page(admin, session, "combined")
    assert [text for speaker, text in said(page) if speaker != "Missing"] == ["Why green?", "Chlorophyll."]


def test_a_response_that_is_gone_is_an_entry_among_the_others(admin, spoken, provider):
    spoken.answer("Where?")
    first = next(iter(provider.memory.responses))
    del provider.memory.responses[first]
    entries = said(open_page(admin, spoken.session, "remote"))
    assert entries[0][0] == "Missing"
    assert first in entries[0][1]
    assert ("Learner", "Where?") in entries


@pytest.mark.parametrize(
    ("item", "shown"),
    [
        (7, ("AI", "7")),
        ({"type": "function_call"}, ("AI", "")),
        ({"content": [None, 3]}, ("AI", "")),
        ({"role": ["x"], "content": 5}, ("['x']", "5")),
    ],
)
def test_whatever_the_provider_sends_the_page_comes_up(admin, spoken, monkeypatch, item, shown):
    response = {"id": "resp_1", "created_at": "soon", "output": [item]}
    monkeypatch.setattr(AIWorkflowSession, "get_remote_thread", lambda _session: [response])
    page = open_page(admin, spoken.session, "remote")
    assert page.status == 200
    assert said(page) == [shown]


def test_storage_that_fails_is_a_sentence(admin, spoken, monkeypatch, caplog):
    def fail(_session):
        raise DatabaseError("secret value")

    monkeypatch.setattr(AIWorkflowSession, "get_local_thread", fail)
    page = open_page(admin, spoken.session)
    assert (page.status, "This thread cannot be read." in page.text) == (200, True)
    assert "session.transcript.failed" in caplog.text
    assert "secret value" not in caplog.text
    assert len(views()) == 1


@pytest.mark.parametrize("breakage", ["its template is gone", "its processors are none"])
def test_a_broken_profile_leaves_what_we_have_to_read(admin, spoken, provider, site_templates, breakage):
    broken = {"base_filepath": "gone.json5"}
    if breakage == "its processors are none":
        template = {**load_template(CHAT), "processor_config": {"LLMProcessor": "nonsense"}}
        (site_templates / "odd.json5").write_text(json.dumps(template), "utf-8")
        broken = {"base_filepath": "odd.json5", "content_patch": ""}
    AIWorkflowProfile.objects.update(**broken)
    assert admin.get(MODEL).column("profile") == ["chat"]
    assert said(open_page(admin, spoken.session)) == [("Learner", "Why green?"), ("AI", "Chlorophyll.")]
    for thread in ("remote", "combined"):
        page = open_page(admin, spoken.session, thread)
        assert (page.status, "The provider is unknown" in page.text) == (200, True)
    assert provider.lookups == []


def test_the_permission_can_be_given_to_anyone():
    permission = Permission.objects.get(codename="view_transcript")
    assert permission.content_type.model == MODEL
