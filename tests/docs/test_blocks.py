"""What the documentation shows is right: settings are accepted, templates fit, commands take their arguments."""

import ast
import json
import os
import re

import pytest
import yaml
from django.conf import settings as site
from django.core.management import get_commands, load_command_class

from openedx_ai_extensions.console.checks import setting_errors
from openedx_ai_extensions.console.transfer import Format, read, run_import
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.demo.__main__ import _parser as demo_parser
from openedx_ai_extensions.models import AIWorkflowProfile
from tests.docs.blocks import PAGES, blocks, commands

OURS = "openedx_ai_extensions"
JSON5 = [block for block in blocks("javascript", "json5") if block.text.lstrip().startswith(("{", "//"))]
TARGETS = set(re.findall(r"^([a-z][a-z_-]*):.*##", (site.REPO / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("block", list(blocks("python")), ids=str)
def test_python_is_python_and_sets_what_we_read(block, monkeypatch, settings):
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    for statement in ast.parse(block.text).body:
        match statement:
            case ast.Assign(targets=[ast.Name(name)], value=value) if name in {*conf.SETTINGS, *conf.DICTIONARIES}:
                written = eval(compile(ast.Expression(value), block.place, "eval"), {"os": os, "BASE_DIR": site.REPO})
                setattr(settings, name, written)
            case ast.Assign(targets=[ast.Name(name)]):
                assert not name.startswith("AI_EXTENSIONS"), f"{name} is no setting"
    assert list(setting_errors()) == []


@pytest.mark.parametrize("block", JSON5, ids=str)
def test_json5_makes_a_valid_profile(block, provider, db):
    profile = AIWorkflowProfile(slug="shown", base_filepath="base/custom_prompt.json5", content_patch=block.text)
    profile.full_clean()


@pytest.mark.parametrize("block", list(blocks("json")), ids=str)
def test_json_is_json(block):
    json.loads(block.text)


@pytest.mark.parametrize("block", list(blocks("yaml")), ids=str)
def test_yaml_is_yaml_and_a_file_to_import_can_be(block, provider, db):
    if "format" not in yaml.safe_load(block.text):
        return
    plan = run_import(read(block.text.encode(), Format.YAML), dry_run=True)
    assert plan.errors == []


@pytest.mark.parametrize(("place", "name", "arguments"), list(commands()))
def test_commands_take_their_arguments(place, name, arguments):
    if get_commands().get(name) == OURS:
        load_command_class(OURS, name).create_parser("manage.py", name).parse_args(arguments)
    else:
        assert name in {*get_commands(), "consume_events", "shell"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_is_named_in_passing_exists(page):
    text = page.read_text(encoding="utf-8")
    assert set(re.findall(r"manage\.py (?:lms |cms )?(ai_\w+)", text)) <= set(get_commands())
    made = re.findall(r"(?:``|^ +)make ([a-z_-]+(?: [a-z_-]+)*)", text, re.MULTILINE)
    assert set(" ".join(made).split()) <= TARGETS


def test_every_make_target_is_listed():
    text = (site.REPO / "docs" / "reference" / "commands.rst").read_text(encoding="utf-8")
    assert {target for target in TARGETS if not re.search(rf"``(?:make )?{target}``", text)} == set()


def test_the_demo_takes_what_is_said_of_it():
    lines = [line for block in blocks() for line in block.text.splitlines() if "openedx_ai_extensions.demo" in line]
    shown = [line.partition("openedx_ai_extensions.demo ")[2] for line in lines if "[" not in line]
    assert shown
    for arguments in shown:
        demo_parser().parse_args(
            arguments.replace('"', "").split(maxsplit=1) if "?" in arguments else arguments.split()
        )
