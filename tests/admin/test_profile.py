"""The admin pages of profiles."""

import json

import django
import pytest
from django.core.checks import run_checks
from django.core.management import call_command

from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.workflows.template_utils import load_template
from tests.conftest import SECRET

MODEL = "aiworkflowprofile"
TEMPLATE = "base/summary.json5"
RIGHT = "//td[contains(@class, 'aiext-right')]/code"
INPUTS = ("slug", "description", "base_filepath", "content_patch")


def typed(**fields):
    return {"slug": "mine", "description": "Mine", "base_filepath": TEMPLATE, "content_patch": "", **fields}


def effective(page):
    """The effective configuration, as the right column of the comparison shows it."""
    return json.loads("\n".join(line.text or "" for line in page.field("difference", RIGHT)))


def test_a_profile_is_added_changed_and_deleted(admin):
    page = admin.post(MODEL, "add", typed(content_patch="// ours\n{schema_version: '1.0',}"))
    profile = AIWorkflowProfile.objects.get(slug="mine")
    assert "was added successfully" in page.messages[-1]
    assert profile.content_patch == "// ours\n{schema_version: '1.0',}"

    page = admin.post(MODEL, "change", typed(description="Ours"), pk=profile.pk)
    profile.refresh_from_db()
    assert "was changed successfully" in page.messages[-1]
    assert (profile.description, profile.content_patch) == ("Ours", "")

    admin.post(MODEL, "delete", {"post": "yes"}, pk=profile.pk)
    assert not AIWorkflowProfile.objects.exists()


def test_the_add_page_offers_the_templates_and_a_patch_editor(admin):
    page = admin.get(MODEL, "add")
    options = page.find("//select[@name='base_filepath']/option/@value")
    assert options[0] == ""
    assert TEMPLATE in options
    assert int(page.input("content_patch").get("rows")) >= 15


@pytest.mark.parametrize("page_name", ["add", "change"])
def test_every_input_has_a_label_and_a_help_text(admin, make_scope, page_name):
    page = admin.get(MODEL, page_name, pk=make_scope().profile.pk if page_name == "change" else None)
    for name in INPUTS:
        (label,) = page.find(f"//label[@for='{page.input(name).get('id')}']")
        assert label.text_content().strip(), name
        assert page.field(name, "//*[contains(@class, 'help')]")[0].text_content().strip(), name


@pytest.mark.parametrize(
    ("patch", "place"),
    [
        ('{\n  a: "unfinished\n}', ("line 2", "column")),
        ("\n\n{a: 1 b: 2}", ("line 3", "column 7")),
        ("\r\n\r\n{a: 1 b: 2}", ("line 3", "column 7")),
        ("{a: 1} {b: 2}", ("line 1", "column 8")),
    ],
    ids=["an open string", "a missing comma", "a missing comma after a browser's line ends", "two objects"],
)
@pytest.mark.parametrize("page_name", ["add", "change"])
def test_bad_json5_is_refused_with_its_place_and_kept_as_typed(admin, make_scope, page_name, patch, place):
    pk = make_scope().profile.pk if page_name == "change" else None
    page = admin.post(MODEL, page_name, typed(content_patch=patch), pk=pk)
    (error,) = page.errors("content_patch")
    assert all(part in error.lower() for part in place), error
    assert page.value("content_patch").splitlines() == patch.splitlines()
    assert not AIWorkflowProfile.objects.filter(slug="mine").exists()


@pytest.mark.skipif(django.VERSION < (5, 2), reason="older versions of the admin do not tie errors to inputs")
def test_an_error_is_tied_to_its_input_for_those_who_listen(admin):
    page = admin.post(MODEL, "add", typed(content_patch="{"))
    box = page.input("content_patch")
    described_by = [page.find(f"//*[@id='{name}']")[0] for name in box.get("aria-describedby").split()]
    assert box.get("aria-invalid") == "true"
    assert any("Line 1, column 2" in element.text_content() for element in described_by)
    assert any("Only the differences" in element.text_content() for element in described_by)


def test_bad_json5_shows_the_line_with_a_mark_below_the_fault(admin):
    page = admin.post(MODEL, "add", typed(content_patch="{\n\ta: 1 b: 2\n}"))
    (excerpt,) = page.field("content_patch", "//ul[contains(@class, 'errorlist')]//pre")
    assert excerpt.text_content() == "\ta: 1 b: 2\n\t     ^"


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ("[1, 2]", "object"),
        ("{orchestrator_class: 'NoSuchThing'}", "$.orchestrator_class"),
        ("{orchestrator_class: 'os.path'}", "$.orchestrator_class"),
        ("{schema_version: '9.9'}", "$.schema_version"),
        ("{processor_config: {LLMProcessor: 'x'}}", "$.processor_config.LLMProcessor"),
    ],
    ids=["a list", "an unknown orchestrator", "a path that is none", "another schema version", "a text for an object"],
)
def test_a_configuration_that_cannot_work_is_refused_beside_the_patch(admin, patch, words):
    page = admin.post(MODEL, "add", typed(content_patch=patch))
    assert words in " ".join(page.errors("content_patch"))
    assert page.value("content_patch") == patch
    assert not AIWorkflowProfile.objects.exists()


@pytest.mark.parametrize("path", ["no/such.json5", "../../settings.py", "/etc/passwd", ""])
def test_a_template_that_is_not_offered_is_refused(admin, path):
    assert admin.post(MODEL, "add", typed(base_filepath=path)).errors("base_filepath")
    assert not AIWorkflowProfile.objects.exists()


def test_the_change_page_shows_what_comes_of_template_and_patch(admin, make_scope):
    profile = make_scope(patch={"processor_config": {"LLMProcessor": {"options": {"temperature": 0.125}}}}).profile
    page = admin.get(MODEL, "change", pk=profile.pk)
    shown = effective(page)
    assert shown == profile.config
    assert shown["processor_config"]["LLMProcessor"]["options"]["temperature"] == 0.125


def test_a_profile_in_order_says_so(admin, make_scope, provider):
    page = admin.get(MODEL, "change", pk=make_scope().profile.pk)
    assert page.shown("validation") == "Everything is in order."
    assert admin.get(MODEL).column("status") == ["Usable"]


def test_warnings_are_shown_after_saving_and_on_the_pages(admin, provider):
    place = "$.processor_config.LLMProcessor.provider"
    page = admin.post(MODEL, "add", typed(content_patch="{processor_config: {LLMProcessor: {provider: 'nowhere'}}}"))
    (warning,) = [message for message in page.messages if message.startswith("Warning: ")]
    assert place in warning

    page = admin.get(MODEL, "change", pk=AIWorkflowProfile.objects.get(slug="mine").pk)
    assert "1 warning." in page.shown("validation")
    assert f"Warning: line 1, column 36: {place}: " in page.shown("validation")
    assert admin.get(MODEL).column("status") == ["Usable, with 1 warning"]


@pytest.mark.parametrize("half", ["request", "response"])
def test_a_missing_half_of_the_widget_is_a_warning(admin, provider, capsys, half):
    place = f"$.actuator_config.UIComponents.{half}"
    patch = f"{{actuator_config: {{UIComponents: {{{half}: null}}}}}}"
    page = admin.post(MODEL, "add", typed(content_patch=patch))
    (warning,) = [message for message in page.messages if message.startswith("Warning: ")]
    assert place in warning
    call_command("ai_check")
    assert f"warning: {place}: This is missing." in capsys.readouterr().out


def test_a_template_that_lacks_half_of_the_widget_leaves_it_open(settings, tmp_path):
    template = load_template("base/summary.json5")
    del template["actuator_config"]["UIComponents"]["response"]
    (tmp_path / "half.json").write_text(json.dumps(template))
    settings.WORKFLOW_TEMPLATE_DIRS = [tmp_path]
    (said,) = (message for message in run_checks(tags=["ai_extensions"]) if message.id.endswith("I004"))
    assert "Missing: $.actuator_config.UIComponents.response." in said.msg


def test_comments_alone_are_kept_and_say_nothing(admin, provider):
    typed_patch = "// nothing yet\n/* {off: 1} */"
    admin.post(MODEL, "add", typed(content_patch=typed_patch))
    profile = AIWorkflowProfile.objects.get(slug="mine")
    assert (profile.content_patch, profile.content_patch_dict) == (typed_patch, {})
    assert admin.get(MODEL, "change", pk=profile.pk).shown("validation") == "Everything is in order."


def test_credentials_are_not_shown_in_the_effective_configuration(admin, make_scope, provider):
    extension = {"api_key": "patched-key", "max_tokens": 12, "headers": {"Authorization": "Bearer x"}}
    patch = {"our_extension": extension, "processor_config": {"LLMProcessor": {"prompt": f"Say {SECRET}."}}}
    page = admin.get(MODEL, "change", pk=make_scope(patch=patch).profile.pk)
    shown = effective(page)
    hidden = "[REDACTED]"
    assert shown["our_extension"] == {"api_key": hidden, "max_tokens": 12, "headers": {"Authorization": hidden}}
    assert shown["processor_config"]["LLMProcessor"]["prompt"] == hidden


def test_the_scopes_that_use_a_profile_are_linked(admin, make_scope):
    scope = make_scope(slot="unit-summary")
    (link,) = admin.get(MODEL, "change", pk=scope.profile.pk).field("used_by", "//a")
    assert link.get("href").endswith(f"/aiworkflowscope/{scope.pk}/change/")
    assert "unit-summary" in link.text
    assert "course-v1:OpenedX+AIX+demo" in link.text


def test_a_profile_whose_template_is_gone_is_listed_and_opened(admin, broken_profile, make_scope):
    make_scope()
    page = admin.get(MODEL)
    status = dict(zip(page.column("slug"), page.column("status"), strict=True))
    assert status["broken"].startswith("Broken: ")
    assert "template" in status["broken"]
    assert status["summary"].startswith("Usable")

    page = admin.get(MODEL, "change", pk=broken_profile.pk)
    assert page.status == 200
    assert page.shown("validation").startswith("1 error. Error: ")
    assert page.value("base_filepath") == "gone.json5"
    assert "missing" in page.find("//select[@name='base_filepath']/option[@selected]")[0].text
    assert page.shown("difference").startswith("None")


def test_a_profile_whose_template_is_gone_is_mended_by_another_template(admin, broken_profile):
    page = admin.post(MODEL, "change", typed(slug="broken", base_filepath="gone.json5"), pk=broken_profile.pk)
    assert "template" in " ".join(page.errors("base_filepath"))

    admin.post(MODEL, "change", typed(slug="broken"), pk=broken_profile.pk)
    assert AIWorkflowProfile.objects.get(slug="broken").base_filepath == TEMPLATE
    assert admin.get(MODEL).column("status")[0].startswith("Usable")


def test_what_people_wrote_is_escaped(admin, make_scope):
    hostile = "<script>alert(1)</script>"
    profile = make_scope(patch={"note": hostile}).profile
    profile.description = hostile
    profile.save()
    for page in (admin.get(MODEL), admin.get(MODEL, "change", pk=profile.pk)):
        assert "<script>alert(1)" not in page.source
        assert hostile in page.text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "alpha"}, ["alpha"]),
        ({"q": "base/"}, ["alpha", "beta"]),
        ({"base_filepath": TEMPLATE}, ["alpha", "beta"]),
        ({"base_filepath": "none.json5"}, []),
    ],
    ids=["searched by slug", "searched by template", "filtered by template", "filtered by a template nobody uses"],
)
def test_the_list_is_searched_and_filtered(admin, make_scope, query, found):
    make_scope(slug="alpha")
    make_scope(slug="beta", slot="other")
    assert admin.get(MODEL, **query).column("slug") == found
