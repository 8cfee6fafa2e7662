"""A whole site of the public implementation: all goes over, with no option, but what is broken or holds a key."""

from __future__ import annotations

import json

import pytest
from django.contrib.auth import get_user_model
from django.core.management import call_command
from submissions.models import Submission

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.hooks import Severity
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, AIWorkflowSession, PromptTemplate
from openedx_ai_extensions.workflows.template_utils import load_template
from tests.conftest import COURSE_ID, UNIT_ID
from tests.upgrade.conftest import upgrade
from tests.upgrade.old_site import PROFILE, run_sql
from tests.upgrade.test_upgrade import say

OURS = "openedx_ai_extensions.workflows.orchestrators"
SHOWN = "actuator_config: {UIComponents: {request: {component: 'AIRequestComponent', config: {buttonText: 'Mine'}}}}"
BLANK = (
    f"{{orchestrator_class: 'DirectLLMResponse', processor_config: {{LLMProcessor: {{prompt: 'Be short.'}}}}, {SHOWN}}}"
)


def llm(section: str) -> str:
    return f"{{processor_config: {{LLMProcessor: {section}}}}}"


LONG = f"{{processor_config: {{EducatorAssistantProcessor: {{'prompt_template': '{'long' * 75}'}}}}}}"

# Slug, template and patch of each, and the template that it has here.
TAKEN = [
    ("summary", "base/summary.json", None, "base/summary.json5"),
    ("eli5", "base/eli5.json", "", "base/explain_like_five.json5"),
    ("terms", "base/custom_prompt.json", llm("{prompt_template: 'tutor'} /* mine */"), "base/custom_prompt.json5"),
    ("chat", "base/chat.json", "null", "base/chat.json5"),
    ("dice", "experimental/chat_functions.json", llm("{enabled_tools: ['roll_dice']}"), "base/chat.json5"),
    ("threads", "experimental/threaded-chat.json", json.dumps("{} // a text of JSON"), "base/chat.json5"),
    ("quiz", "base/library_questions_assistant.json", None, "base/quiz.json5"),
    ("creator", "base/library_questions_creator.json", "{}", "base/quiz.json5"),
    ("cards", "experimental/flashcards.json", None, "base/flashcards.json5"),
    ("mock", "examples/mocked_response.json", llm("{function: 'mocked'}"), "examples/mock.json5"),
    ("mock-stream", "experimental/mocked_stream_response.json", None, "examples/mock_stream.json5"),
    ("blank", "base/blank.json", BLANK, "base/summary.json5"),
    ("dotted", "base/chat.json5", f"{{orchestrator_class: '{OURS}.threaded_orchestrator.ThreadedLLMResponse'}}",
     "base/chat.json5"),
    ("older", "examples/summary.json", f"{{orchestrator_class: '{OURS}.orchestrators.DirectLLMResponse'}}",
     "base/summary.json5"),
    ("a key twice", "base/summary.json", llm("{stream: true, stream: false}"), "base/summary.json5"),
    ("its-model", "base/summary.json", llm("{options: {model: 'openai/gpt-x', temperature: 0.2, max_tokens: 50}}"),
     "base/summary.json5"),
    ("Größe & Maß", "base/summary.json", None, "base/summary.json5"),
    ("nothing-yet", "base/summary.json", "// nothing yet", "base/summary.json5"),
    ("off", "base/summary.json", " /* {off: 1} */\n\n// none", "base/summary.json5"),
    ("unclosed", "base/summary.json", "{\n  oops", "base/summary.json5"),
    ("a-list", "base/summary.json", "[]", "base/summary.json5"),
    ("no-number", "base/summary.json", "NaN", "base/summary.json5"),
    ("named", "base/custom_prompt.json", llm("{ /* a */ prompt_template: 'My Prompt'}"), "base/custom_prompt.json5"),
    ("named-at-length", "base/quiz.json5", LONG, "base/quiz.json5"),
    ("by-key", "base/custom_prompt.json", llm("{prompt_template: 'KEY'}"), "base/custom_prompt.json5"),
    ("units", "base/summary.json", None, "base/summary.json5"),
    ("roots", "base/summary.json", None, "base/summary.json5"),
]  # fmt: skip
LEFT = [
    ("its-key", "base/summary.json", llm("{options: {api_key: 'sk-x'}}"), "AI_EXTENSIONS"),
    ("nothing-to-run", "base/blank.json", llm("{provider: 'default'}"), "has an orchestrator"),
    (
        "no-json",
        "base/summary.json",
        "{options: {'api-key': 'mine'",
        "content_patch: Line 1, column 29: Unexpected end",
    ),
]
CHATS = ("chat", "dice", "threads", "dotted")


@pytest.fixture(params=["numbers", "uuids"])
def site(request, old_site, learner, author):
    """30 profiles, 33 scopes, 18 sessions and 66 submissions."""
    site = old_site(has_uuids=request.param == "uuids")
    site.prompts = {slug: site.prompt(slug) for slug in ("tutor", "My Prompt", "long" * 75)}
    site.profiles, site.scopes = {}, {}
    for slug, path, patch, _about in [*TAKEN, *LEFT]:
        site.profiles[slug] = site.profile(slug, path, patch and patch.replace("KEY", str(site.prompts["My Prompt"])))
        course = COURSE_ID if slug in CHATS else None
        variant = "CMS" if slug in {"quiz", "creator"} else "lms"
        site.scopes[slug] = site.scope(
            site.profiles[slug], ui_slot_selector_id=slug, course_id=course, service_variant=variant,
            location_regex="unit_roots" if slug == "roots" else None,
        )  # fmt: skip
    site.units = [
        site.scope(site.profiles["units"], ui_slot_selector_id="units", course_id=COURSE_ID, location_regex=pattern)
        for pattern in ("unit_sunlight", "unit_roots")
    ]
    site.twin = site.scope(site.profiles["summary"], ui_slot_selector_id="cards")
    place = {"course_id": COURSE_ID, "location_id": UNIT_ID}
    site.placed = {
        "units": site.session(learner.pk, None, site.profiles["units"], **place),
        "elsewhere": site.session(learner.pk, None, site.profiles["units"],
                                  **place | {"location_id": UNIT_ID.replace("sunlight", "moss")}),
        "roots": site.session(learner.pk, None, site.profiles["roots"], **place),
    }  # fmt: skip
    people = [learner, author, get_user_model().objects.create_user("third")]
    for number in range(11):
        slug, person = CHATS[number % 4], people[number // 4]
        # Of profile and scope one may be missing.
        scope = None if number == 5 else site.scopes[slug]
        profile = None if number == 6 else site.profiles[slug]
        key = site.session(person.pk, scope, profile, course_id=COURSE_ID, location_id=UNIT_ID)
        say(person, key, *((f"{number}: question {turn}?", f"{number}: answer {turn}.") for turn in range(6)))
    card = {"id": "c1", "question": "Q", "answer": "A"}
    for person in people:
        site.session(person.pk, site.scopes["cards"], site.profiles["cards"], metadata={"cards": [card]},
                     course_id=COURSE_ID)  # fmt: skip
    question = {"question_html": "<p>2+2?</p>", "problem_type": "numericalresponse", "answer_value": "4"}
    slots = {"question_slots": [{"versions": [question], "selected": 0}], "collection_name": "Sums"}
    site.session(author.pk, site.scopes["quiz"], site.profiles["quiz"], metadata=slots, course_id=COURSE_ID)
    return site


def count(table: str) -> int:
    return run_sql(f"SELECT COUNT(*) FROM openedx_ai_extensions_{table}")[0][0]


def test_counts(site):
    tables = ("aiworkflowprofile", "aiworkflowscope", "aiworkflowsession", "prompttemplate")
    assert [count(table) for table in tables] == [30, 33, 18, 3]
    old = set(Submission.objects.values_list("pk", flat=True))
    assert len(old) == 66
    rehearsed, done = upgrade(), upgrade("--apply")
    assert [count(table) for table in tables] == [27, 30, 18, 3]
    assert [line for line in done if "taken over:" in line] == [
        "prompts taken over: 3, left: 0",
        "profiles taken over: 27, left: 3",
        "scopes taken over: 30, left: 3",
        "sessions taken over: 18, left: 0",
    ]
    messages = [len(session.get_local_thread() or ()) for session in AIWorkflowSession.objects.all()]
    assert (sum(messages), len(list(filter(None, messages)))) == (132, 11)
    assert set(Submission.objects.values_list("pk", flat=True)) > old
    left = [line for line in done if line.startswith("  left:")]
    assert left == [line for line in rehearsed if line.startswith("  left:")]
    assert all(line.count(" To do: ") == 1 for line in left)
    for slug, _path, _patch, words in LEFT:
        (line,) = (line for line in left if f"({slug})" in line)
        assert words in line
        assert "To do: change content_patch in the old row" in line
    assert not {"sk-x", "mine"} & set("".join(done).replace("'", " ").split())


def test_each_profile_is_what_it_was(site, capsys):
    upgrade("--apply")
    profiles = AIWorkflowProfile.objects.in_bulk(field_name="slug")
    assert set(profiles) == {slug if slug.isascii() and " " not in slug else profiles_slug(site, slug)
                             for slug, *_rest in TAKEN}  # fmt: skip
    for slug, _path, _patch, template in TAKEN:
        profile = AIWorkflowProfile.objects.get(pk=site.profiles[slug])
        assert (profile.base_filepath, profile.is_usable) == (template, True)
        assert [problem for problem in profile.problems() if problem.severity is Severity.ERROR] == []
        scope = AIWorkflowScope.objects.get(pk=site.scopes[slug])
        assert (scope.profile_id, scope.ui_slot_selector_id) == (profile.pk, slug)
    assert profiles["terms"].processor_config["LLMProcessor"]["prompt_template"] == "tutor"
    assert "/* mine */" in profiles["terms"].content_patch
    assert (profiles["chat"].content_patch, profiles["threads"].content_patch) == ("", "{} // a text of JSON")
    assert profiles["its-model"].processor_config["LLMProcessor"]["options"] == {"temperature": 0.2, "max_tokens": 50}
    assert profiles["blank"].processor_config["LLMProcessor"]["prompt"] == "Be short."
    shown = profiles["blank"].get_ui_components()
    assert [shown[half]["config"] for half in ("request", "response")] == [{"buttonText": "Mine"}, {}]
    shown = profiles["blank"].get_ui_components()
    assert [shown[half]["config"] for half in ("request", "response")] == [{"buttonText": "Mine"}, {}]
    assert (profiles["nothing-yet"].content_patch, profiles["off"].content_patch) == (
        "// nothing yet", " /* {off: 1} */\n\n// none")  # fmt: skip
    for slug in ("nothing-yet", "off", "unclosed", "a-list", "no-number"):
        assert profiles[slug].config == profiles["summary"].config
    assert {profiles[slug].content_patch for slug in ("unclosed", "a-list", "no-number")} == {""}
    call_command("ai_check")
    assert "errors: 0" in capsys.readouterr().out


def profiles_slug(site, slug: str) -> str:
    return {"a key twice": "a-key-twice", "Größe & Maß": "groe-ma"}[slug] + f"-{site.profiles[slug]}"


def test_what_is_not_as_it_was_is_told(site):
    notes = [line for line in upgrade("--apply") if line.startswith("  note:")]
    for words in (
        "(its-model): its options model were removed: they belong in an entry of AI_EXTENSIONS",
        "(a key twice): its patch was rewritten without comments, to correct this: Line 1, column",
        f"(Größe & Maß): its new name is {profiles_slug(site, 'Größe & Maß')}",
        "(dice): its template experimental/chat_functions.json is now base/chat.json5",
        "(unclosed): its patch is not valid and was ignored before, so it is empty now: Line 2, column 7: ",
        f". The old text is in the row {site.profiles['unclosed']} of {PROFILE}_before_upgrade, until --drop-old",
        "(a-list): its patch is not valid",
        "(no-number): its patch is not valid and was ignored before, so it is empty now: Line 1, column 1: ",
    ):
        assert any(words in line for line in notes), (words, notes)
    assert not any("(nothing-yet)" in line and "patch" in line for line in notes)


def test_profiles_still_find_prompts_that_have_other_names(site):
    done = upgrade("--apply")
    named = {slug: AIWorkflowProfile.objects.get(slug=slug) for slug in ("named", "named-at-length", "by-key")}
    for slug, old in (("named", "My Prompt"), ("named-at-length", "long" * 75), ("by-key", "My Prompt")):
        (section,) = (part for part in named[slug].processor_config.values() if part.get("prompt_template"))
        prompt = PromptTemplate.objects.lookup(section["prompt_template"])
        assert prompt.slug.startswith(old.lower().replace(" ", "-")[:60])
        assert prompt.slug.endswith(f"-{site.prompts[old]}")
    assert "/* a */" in named["named"].content_patch
    prompt = PromptTemplate.objects.get(slug__startswith="my-")
    assert any(line.endswith(f"(named): the prompt that it names has the new name {prompt.slug}") for line in done)


@pytest.mark.parametrize("reference", ["My Prompt", 7, "7"])
def test_prompts_are_found_wherever_they_are_named(old_site, settings, tmp_path, reference):
    """In a template of the site's own, and by their old numbers; another prompt's name goes before a number."""
    template = load_template("base/custom_prompt.json5")
    template["processor_config"]["LLMProcessor"]["prompt_template"] = reference
    (tmp_path / "own.json").write_text(json.dumps(template))
    settings.WORKFLOW_TEMPLATE_DIRS = [tmp_path, *conf.get("WORKFLOW_TEMPLATE_DIRS")]
    site = old_site()
    site.prompt("My Prompt", id=7)
    site.prompt("8", id=9)
    site.prompt("other", id=8)
    site.profile("own", "own.json", "{actuator_config: {x: 1}}")
    site.profile("eight", "base/custom_prompt.json5", llm("{prompt_template: '8'}"))
    assert "profiles would be taken over: 2, left: 0" in upgrade()
    assert "profiles taken over: 2, left: 0" in upgrade("--apply")
    own = AIWorkflowProfile.objects.get(slug="own")
    assert own.processor_config["LLMProcessor"]["prompt_template"] == "my-prompt-7"
    assert own.config["actuator_config"]["x"] == 1
    eight = AIWorkflowProfile.objects.get(slug="eight")
    assert eight.content_patch == llm("{prompt_template: '8'}")


def test_a_session_without_a_scope_goes_where_its_location_resolves(site, learner):
    rehearsed, done = upgrade(), upgrade("--apply")
    where = dict(AIWorkflowSession.objects.filter(user=learner, profile__slug__in=["units", "roots"])
                 .values_list("location_id", "scope_id").filter(profile__slug="units"))  # fmt: skip
    assert {str(location): scope for location, scope in where.items()} == {
        UNIT_ID: site.units[0],
        UNIT_ID.replace("sunlight", "moss"): site.scopes["units"],
    }
    assert AIWorkflowSession.objects.get(profile__slug="roots").scope_id == site.scopes["roots"]
    words = (
        f"  note: session {site.placed['roots']}: it names no scope, and no scope of its profile matches its location: "
        f"it is in {site.scopes['roots']} now"
    )
    assert words in done
    assert words in rehearsed
    assert sum("it names no scope" in line for line in done) == 1


def test_conversations_that_nobody_would_see_are_told(site):
    words = (
        f"  note: scope {site.scopes['cards']}: it never answers, because the newer scope {site.twin} has the same "
        "course, slot, pattern and service; conversations that are not shown for it: 3"
    )
    for arguments in ((), ("--apply",), ("--apply",)):
        assert [line for line in upgrade(*arguments) if "never answers" in line] == [words]


def test_what_was_left_is_taken_over_once_it_is_mended(site):
    upgrade("--apply")
    for slug in ("its-key", "nothing-to-run", "no-json"):
        run_sql(
            "UPDATE openedx_ai_extensions_aiworkflowprofile_before_upgrade SET content_patch = %s WHERE id = %s",
            "{orchestrator_class: 'DirectLLMResponse'}", site.profiles[slug],
        )  # fmt: skip
    done = upgrade("--apply")
    assert "profiles taken over: 3, earlier: 27, left: 0" in done
    assert "scopes taken over: 3, earlier: 30, left: 0" in done


@pytest.mark.parametrize(("gone", "kind"), [(AIWorkflowProfile, "profile"), (AIWorkflowScope, "scope")])
def test_what_belongs_to_something_deleted_since_is_left(old_site, learner, gone, kind):
    site = old_site()
    profile = site.profile("chat", "base/chat.json5")
    session = site.session(learner.pk, site.scope(profile), profile, course_id="nowhere")
    upgrade("--apply")
    gone.objects.all().delete()
    run_sql("UPDATE openedx_ai_extensions_aiworkflowsession_before_upgrade SET course_id = %s", COURSE_ID)
    (left,) = (line for line in upgrade("--apply") if line.startswith("  left:"))
    assert left.startswith(f"  left: session {session}: its ")
    assert left.endswith(f"its {kind} was not taken over. To do: see the line about that {kind}")


def test_a_blank_template_that_the_operator_replaces_is_taken_at_its_word(old_site):
    site = old_site()
    site.profile("blank", "base/blank.json")
    assert "profiles taken over: 1, left: 0" in upgrade("--apply", "--template", "base/blank.json=base/chat.json5")
