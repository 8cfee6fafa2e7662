"""Profiles that no longer fit their templates: in the list, in ``manage.py ai_check``, in the system checks."""

import json

import pytest
from django.core.checks import run_checks
from django.core.management import CommandError, call_command

from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.workflows.template_utils import load_template

MODEL = "aiworkflowprofile"
IN_VAIN = "{processor_config: {LLMProcessor: {stream: true, options: {temperature: 0.5}}}}"


@pytest.fixture
def drifted(make_scope, broken_profile, provider):
    """One of each kind."""
    make_scope(slug="fine", slot="a", patch="{processor_config: {LLMProcessor: {}}}")
    make_scope(slug="in-vain", slot="b", patch=IN_VAIN)
    make_scope(slug="misses", slot="c", patch={"processor_config": {"LLMProcessor": {"provider": "gone"}}})


def check(*arguments):
    """What the command said, and whether it ended well."""
    lines: list[str] = []

    class Out:
        def write(self, text):
            lines.append(text)

    try:
        call_command("ai_check", *arguments, stdout=Out())
    except CommandError as error:
        return "".join(lines), str(error)
    return "".join(lines), None


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("in-order", ["fine"]),
        ("broken", ["broken"]),
        ("warnings", ["misses"]),
        ("redundant", ["in-vain"]),
        ("nonsense", ["broken", "fine", "in-vain", "misses"]),
    ],
)
def test_the_list_is_filtered_by_status(admin, drifted, status, found):
    assert admin.get(MODEL, status=status).column("slug") == found


def test_a_template_that_changes_makes_patches_drift(admin, make_scope, site_templates, provider):
    template = site_templates / "own.json5"
    config = load_template("base/summary.json5")
    template.write_text(json.dumps(config), "utf-8")
    patch = {"processor_config": {"LLMProcessor": {"options": {"temperature": 0.5}}}}
    make_scope(slug="drifts", base_filepath="own.json5", patch=patch)
    assert admin.get(MODEL, status="in-order").column("slug") == ["drifts"]

    config["processor_config"]["LLMProcessor"]["options"] = {"temperature": 0.5, "top_p": 1}
    template.write_text(json.dumps(config), "utf-8")
    assert admin.get(MODEL, status="redundant").column("slug") == ["drifts"]

    del config["processor_config"]
    template.write_text(json.dumps(config), "utf-8")
    assert admin.get(MODEL, status="broken").column("slug") == ["drifts"]


def test_the_command_lists_by_profile_and_fails(drifted):
    said, failure = check()
    lines = said.splitlines()
    assert lines[0] == "profile broken:"
    assert lines[1].startswith("  error: ")
    assert "profile fine: in order" in lines
    path = "$.processor_config.LLMProcessor"
    assert f"  warning: {path}.stream: This repeats the template and changes nothing." in lines
    assert any(line.startswith(f"  warning: {path}.provider: ") for line in lines)
    assert failure == "errors: 1, warnings: 2"


@pytest.mark.parametrize(
    ("arguments", "patch", "fails"),
    [
        pytest.param((), IN_VAIN, False, id="warnings pass"),
        pytest.param(("--fail-level", "warning"), IN_VAIN, True, id="warnings are asked to fail"),
        pytest.param(("--fail-level", "warning"), "", False, id="nothing to say"),
        pytest.param((), "{schema_version: '9'}", True, id="errors fail"),
    ],
)
def test_when_the_command_fails(db, provider, arguments, patch, fails):
    AIWorkflowProfile.objects.create(slug="one", base_filepath="base/summary.json5")
    AIWorkflowProfile.objects.update(content_patch=patch)
    assert bool(check(*arguments)[1]) is fails


def test_the_command_lists_hidden_templates_and_scopes_nobody_gets(make_scope, site_templates, provider):
    scope = make_scope(slug="old")
    make_scope(slug="new")
    make_scope(slug="lost", slot="")
    make_scope(slug="elsewhere", course_id="")
    (site_templates / "base").mkdir()
    (site_templates / "base" / "ask.json5").write_text("{schema_version: 1}", "utf-8")
    said, failure = check()
    lines = said.splitlines()
    assert "template base/ask.json5:" in lines
    assert sum("hides" in line for line in lines) == 1
    assert any(line.startswith(f"scope {scope.pk} (old: ") for line in lines)
    assert sum("a newer scope has the same" in line for line in lines) == 1
    assert sum("it has no slot" in line for line in lines) == 1
    assert failure is not None


def test_the_system_check_tells_what_changes_nothing(db, provider):
    AIWorkflowProfile.objects.create(slug="in-vain", base_filepath="base/summary.json5", content_patch=IN_VAIN)

    def ours(databases):
        return [each.msg for each in run_checks(databases=databases) if each.id == "openedx_ai_extensions.I003"]

    path = "$.processor_config.LLMProcessor.stream"
    assert ours(["default"]) == [f"The patch of the AI workflow profile 'in-vain' has no effect at: {path}."]
    assert ours(None) == []
