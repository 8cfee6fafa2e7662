"""What can be saved can be shown, exported, imported and sent; what cannot be is refused, with its place."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openedx_ai_extensions.console.transfer import Change, EntryKind, Format, export, read, run_import
from openedx_ai_extensions.core.portable import text_problem
from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from openedx_ai_extensions.workflows.template_utils import JSON5DecodeError, parse_json5_string
from tests.admin.pages import Admin
from tests.api.conftest import Api, error_of
from tests.test_checks import VALID, ours

TEMPLATE = "base/summary.json5"

# What stands for a value in a JSON5 text, and why it is refused.
REFUSED = [
    pytest.param("NaN", "not finite", id="NaN"),
    pytest.param("-NaN", "not finite", id="minus NaN"),
    pytest.param("Infinity", "not finite", id="Infinity"),
    pytest.param("+Infinity", "not finite", id="plus Infinity"),
    pytest.param("-Infinity", "not finite", id="minus Infinity"),
    pytest.param("1e999", "not finite", id="too large for a float"),
    pytest.param("-.1E+999", "not finite", id="too small for a float"),
    pytest.param("9223372036854775808", "64 bits", id="a bit too large"),
    pytest.param("-9223372036854775809", "64 bits", id="a bit too small"),
    pytest.param("9" * 5000, "64 bits", id="more digits than Python reads"),
    pytest.param("0x8000000000000000", "64 bits", id="hexadecimal, too large"),
    pytest.param("-0xFFFFFFFFFFFFFFFFFF", "64 bits", id="hexadecimal, too small"),
    pytest.param(f"0x{'f' * 5000}", "64 bits", id="hexadecimal, very long"),
    pytest.param(r'"\ud800"', "U+D800 is half", id="a first half"),
    pytest.param(r"'\uDC00'", "U+DC00 is half", id="a second half"),
    pytest.param(r'"\ude00\ud83d"', "U+DE00 is half", id="halves in the wrong order"),
    pytest.param(r'"\u0000"', "U+0000 is a control", id="NUL"),
    pytest.param(r'"\0"', "U+0000 is a control", id="NUL, short"),
    pytest.param(r'"\x00"', "U+0000 is a control", id="NUL, hexadecimal"),
    pytest.param(r'"\v"', "U+000B is a control", id="a vertical tab"),
    pytest.param(r'"\u001b"', "U+001B is a control", id="an escape"),
    pytest.param(r'"\x7F"', "U+007F is a control", id="a deletion"),
    pytest.param('"\x07"', "U+0007 is a control", id="a bell as it is"),
    pytest.param('"\ud800"', "U+D800 is half", id="a half as it is"),
    pytest.param("[" * 40 + "]" * 40, "nested too deeply", id="too deep"),
    pytest.param('{"a": 1, a: 2}', "appears twice", id="a key twice"),
    pytest.param(r'{a: 1, "\u0061": 2}', "appears twice", id="a key twice, in disguise"),
    pytest.param("{__proto__: {}}", "__proto__ is reserved", id="a key that browsers keep"),
    pytest.param(r'{"\ud800": 1}', "U+D800 is half", id="a key with a half"),
]  # fmt: skip
# One of each kind, for the doors behind which the same text is read.
KINDS = [case for case in REFUSED if case.id in {
    "NaN", "too large for a float", "more digits than Python reads", "a first half", "NUL, short", "a bell as it is",
    "too deep", "a key twice", "a key that browsers keep",
}]  # fmt: skip
# What stands for a value, and what it is.
FINE = [
    pytest.param("9223372036854775807", 2**63 - 1, id="the largest"),
    pytest.param("-9223372036854775808", -(2**63), id="the smallest"),
    pytest.param("0x7fffffffffffffff", 2**63 - 1, id="the largest, hexadecimal"),
    pytest.param("-0xF", -15, id="negative and hexadecimal"),
    pytest.param("+.5", 0.5, id="a plus and a point"),
    pytest.param("-0", 0, id="minus nothing"),
    pytest.param("-0.0", -0.0, id="minus nothing, as a fraction"),
    pytest.param("1e-999", 0.0, id="next to nothing"),
    pytest.param("1.7976931348623157e308", 1.7976931348623157e308, id="the largest float"),
    pytest.param(r'"\ud83d\ude00"', "\U0001f600", id="a whole character in two escapes"),
    pytest.param(r'{"\uD83D\uDE00": 1}', {"\U0001f600": 1}, id="a key in two escapes"),
    pytest.param('"\U0001f600\u2028\ufffe"', "\U0001f600\u2028\ufffe", id="rare characters"),
    pytest.param(r'"\t\r\n\\u0000\q"', "\t\r\n\\u0000q", id="escapes"),
    pytest.param(r"'\\ud800'", r"\ud800", id="an escaped backslash"),
    pytest.param("'NaN'", "NaN", id="a text that says NaN"),
    pytest.param("{NaN: 1, Infinity: 2, 'NaN ': 3}", {"NaN": 1, "Infinity": 2, "NaN ": 3}, id="keys that say NaN"),
    pytest.param("[" * 25 + "]" * 25, json.loads("[" * 25 + "]" * 25), id="deep"),
    pytest.param("{a: {a: 1}, b: [{a: 1}, {a: 2}]}", {"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}, id="the same keys"),
    pytest.param("{constructor: 1, '': 2}", {"constructor": 1, "": 2}, id="odd keys"),
    pytest.param("/* NaN \\ud800 */ 1", 1, id="comments"),
]


def patch_with(value: str) -> str:
    """A patch whose third line has the value."""
    options = f"{{chat_template_kwargs: {{\n\n  odd: {value},\n}}}}"
    return f"{{processor_config: {{LLMProcessor: {{stream: false, options: {options}}}}}}}"


def profile_with(patch: str, **fields: str) -> AIWorkflowProfile:
    return AIWorkflowProfile(slug="mine", base_filepath=TEMPLATE, content_patch=patch, **fields)


def upload(**kinds: Any) -> bytes:
    return json.dumps({"format": "openedx-ai-extensions", "version": 1, **kinds}).encode()


@pytest.mark.parametrize(("value", "words"), REFUSED)
def test_a_patch_that_cannot_be_stored_is_refused_with_its_place(db, value, words):
    with pytest.raises(ValidationError) as caught:
        profile_with(patch_with(value)).save()
    (message,) = caught.value.message_dict["content_patch"]
    assert message.startswith("Line 3, column ")
    assert words in message
    assert not AIWorkflowProfile.objects.exists()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("{a: 1,\n  b: -Infinity}", (2, 6), id="a number"),
        pytest.param('{a: "x\\u0041\\u0007"}', (1, 13), id="inside of a text"),
        pytest.param('{a: "x\\\ny\\0"}', (2, 2), id="in the second line of a text"),
        pytest.param("{a: 1,\n\t'a': 2}", (2, 2), id="a key"),
        pytest.param("// \x01\n{}", (1, 4), id="in a comment"),
        pytest.param(f"{{a:\n{'[' * 31}{{b: []}}", (2, 32), id="depth"),
    ],
)
def test_the_place_is_the_very_character(text, place):
    with pytest.raises(JSON5DecodeError) as caught:
        parse_json5_string(text)
    assert (caught.value.lineno, caught.value.colno) == place


@pytest.mark.once
@pytest.mark.parametrize(("value", "words"), KINDS)
def test_a_template_with_such_a_value_is_refused_by_check_and_never_reaches_a_learner(
    db, learner, settings, make_scope, tmp_path, value, words
):
    settings.AI_EXTENSIONS = {"default": {"MODEL": "openai/x"}}
    settings.WORKFLOW_TEMPLATE_DIRS = [tmp_path]
    path = tmp_path / "own.json5"
    path.write_text(VALID)
    make_scope(base_filepath="own.json5")
    start, _brace, rest = VALID.partition("{")
    path.write_bytes(f"{start}{{\n  odd: {value},\n{rest}".encode("utf-8", "surrogatepass"))
    ((number, message),) = ours()
    assert number == "E003"
    assert message.startswith("The template own.json5 is not valid: Line ")
    assert words in message
    assert Api(learner).profile().json()["status"] == "no_config"
    assert Api(learner).run().status_code == 404


@pytest.mark.once
@pytest.mark.parametrize(("value", "words"), KINDS)
def test_a_row_from_before_never_reaches_a_learner_and_can_be_looked_at(
    learner, provider, make_scope, admin_user, value, words
):
    profile = make_scope().profile
    AIWorkflowProfile.objects.update(content_patch=patch_with(value))
    assert Api(learner).profile().json()["status"] == "no_config"
    assert Api(learner).run().status_code == 404
    assert provider.requests == []
    assert Admin(admin_user).get("aiworkflowprofile", "change", pk=profile.pk).status == 200
    assert Admin(admin_user).get("aiworkflowprofile", "changelist").status == 200
    listed = Api(admin_user).profiles().content
    assert json.loads(listed, parse_constant=pytest.fail)["count"] == 1
    assert export(Format.YAML, [EntryKind.PROFILES]).text
    assert any(words in message for _number, message in ours(databases=["default"]))


@pytest.mark.parametrize(("value", "meant"), FINE)
def test_what_is_saved_is_shown_exported_imported_and_sent(learner, provider, make_scope, admin_user, value, meant):
    profile = make_scope(patch=patch_with(value)).profile
    profile.refresh_from_db()
    assert repr(profile.processor_config["LLMProcessor"]["options"]["chat_template_kwargs"]["odd"]) == repr(meant)
    page = Admin(admin_user).get("aiworkflowprofile", "change", pk=profile.pk)
    assert page.status == 200
    assert page.value("content_patch") == patch_with(value)
    (listed,) = json.loads(Api(admin_user).profiles().content, parse_constant=pytest.fail)["profiles"]
    assert (
        listed["effective_config"]["processor_config"]["LLMProcessor"]["options"]["chat_template_kwargs"]["odd"]
        == meant
    )
    entries = read(export(Format.YAML, list(EntryKind)).text.encode(), Format.YAML)
    assert {step.change for step in run_import(entries, dry_run=True).steps} == {Change.UNCHANGED}
    assert Api(learner).run().status_code == 200
    assert provider.requests[0]["chat_template_kwargs"]["odd"] == meant


@pytest.mark.once
@pytest.mark.parametrize(("value", "words"), KINDS)
def test_the_admin_shows_the_place_beside_the_patch(admin_user, value, words):
    fields = {"slug": "mine", "description": "", "base_filepath": TEMPLATE, "content_patch": patch_with(value)}
    page = Admin(admin_user).post("aiworkflowprofile", "add", fields)
    (error,) = page.errors("content_patch")
    assert "Line 3, column " in error
    assert words in error


def test_a_version_from_before_is_not_restored(make_scope, admin_user):
    profile = make_scope().profile
    AIWorkflowProfile.objects.update(content_patch=patch_with("NaN"))
    AIWorkflowProfile.objects.update(content_patch="")
    page = Admin(admin_user).post("aiworkflowprofile", "changelist", {}).status
    url = f"/admin/openedx_ai_extensions/aiworkflowprofile/{profile.pk}/versions/2/restore/"
    response = Admin(admin_user).client.post(url)
    assert (page, response.status_code) == (200, 200)
    assert "Line 3, column 8: This number is not finite." in response.content.decode()
    profile.refresh_from_db()
    assert profile.content_patch == ""


TEXTS = [
    pytest.param("nul\0", "Line 1, column 4: U+0000 is a control character", id="NUL"),
    pytest.param("bell\n\x07", "Line 2, column 1: U+0007 is a control character", id="a bell"),
    pytest.param("a\x85b", "Line 1, column 2: U+0085 is a control character", id="a line end of mainframes"),
    pytest.param("half \ud83d", "Line 1, column 6: U+D83D is half of a character", id="half of a character"),
]


@pytest.mark.parametrize(("text", "words"), TEXTS)
@pytest.mark.parametrize("door", ["save", "bulk_create"])
def test_a_text_that_cannot_be_stored_is_refused(db, text, words, door):
    def store(obj):
        return obj.save() if door == "save" else type(obj).objects.bulk_create([obj])

    profile = AIWorkflowProfile.objects.create(slug="there", base_filepath=TEMPLATE)
    for field, obj in {
        "body": PromptTemplate(slug="p", body=text),
        "description": profile_with("", description=text),
        "ui_slot_selector_id": AIWorkflowScope(profile=profile, ui_slot_selector_id=text),
        "location_regex": AIWorkflowScope(profile=profile, location_regex=f"({text})"),
    }.items():
        with pytest.raises(ValidationError) as caught:
            store(obj)
        assert list(caught.value.message_dict) == [field]
        if field != "location_regex":
            assert words in caught.value.message_dict[field][0]
    for field, obj in {
        "slug": PromptTemplate(slug=text, body="x"),
        "base_filepath": AIWorkflowProfile(slug="x", base_filepath=text),
    }.items():
        with pytest.raises(ValidationError) as caught:
            store(obj)
        assert list(caught.value.message_dict) == [field]


@pytest.mark.parametrize(("text", "words"), TEXTS[:3])
def test_a_prompt_is_refused_by_every_door(admin_user, text, words):
    prompt = PromptTemplate.objects.create(slug="tutor", body="Be kind.")
    response = Api(admin_user).patch_prompt("tutor", {"body": text})
    assert error_of(response) == (400, "validation_error")
    assert f"body: {words}" in response.json()["error"]["message"]
    page = Admin(admin_user).post("prompttemplate", "change", {"slug": "tutor", "body": text}, pk=prompt.pk)
    assert len(page.errors("body")) == 1
    prompt.refresh_from_db()
    assert prompt.body == "Be kind."


@pytest.mark.parametrize(("text", "words"), TEXTS)
def test_an_import_names_the_entry_and_the_field(db, text, words):
    profile = {"slug": "mine", "base_filepath": TEMPLATE}
    for kind, field, entry in (
        ("prompts", "body", {"slug": "tutor", "body": text}),
        ("profiles", "description", {**profile, "description": text}),
        ("profiles", "content_patch", {**profile, "content_patch": f"// {text}\n{{}}"}),
    ):
        # Some YAML libraries refuse to read a half.
        with contextlib.suppress(*[InvalidRequest] * ("half" in text)):
            (error,) = run_import(read(upload(**{kind: [entry]}), Format.YAML), dry_run=False).errors
            assert error.startswith(f"{kind}, entry 1 (line 1): {field}: Line ")
    assert not PromptTemplate.objects.exists()


def test_an_import_in_csv(db):
    AIWorkflowProfile.objects.create(slug="mine", base_filepath=TEMPLATE)
    columns = "profile,course_id,location_regex,service_variant,ui_slot_selector_id,enabled\n"
    (error,) = run_import(read(f"{columns}mine,,,lms,\x07,true\n".encode(), Format.CSV), dry_run=False).errors
    assert error.startswith("line 2: ui_slot_selector_id: Line 1, column 1: U+0007")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(text=st.text(min_size=1, max_size=200).filter(lambda text: text.strip() and not text_problem(text)))
def test_every_text_that_is_saved_comes_back_from_an_export(admin_user, text):
    PromptTemplate.objects.all().delete()
    AIWorkflowProfile.objects.all().delete()
    PromptTemplate.objects.create(slug="p", body=text)
    patch = f"// {' '.join(text.splitlines())}\n{{actuator_config: {{{json.dumps(text)}: {json.dumps(text)}}}}}"
    profile = profile_with(patch if "__proto__" not in text else "", description=text)
    profile.save()
    AIWorkflowScope.objects.create(profile=profile, ui_slot_selector_id=text[:200])
    for file_format in Format:
        entries = read(export(file_format, list(EntryKind)).text.encode(), file_format)
        plan = run_import(entries, dry_run=True)
        assert plan.errors == []
        assert {step.change for step in plan.steps} == {Change.UNCHANGED}
    assert Api(admin_user).prompt("p").json()["body"] == text
    assert Admin(admin_user).get("prompttemplate", "change", pk=PromptTemplate.objects.get().pk).status == 200
