"""The reference leaves nothing out: its lists are held against the code, the database and what argparse knows."""

import re
from importlib import import_module

import pytest
from django.conf import settings as site
from django.contrib.auth.models import Permission
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand

from openedx_ai_extensions.core import conf

APP = "openedx_ai_extensions"
REFERENCE = site.REPO / "docs" / "reference"
SOURCES = {
    path: path.read_text(encoding="utf-8")
    for path in sorted(conf.PACKAGE_DIR.rglob("*.py"))
    if "demo" not in path.relative_to(conf.PACKAGE_DIR).parts
}
# Page, its directive, and the function that writes what stands there.
LISTS = {
    "settings": ("settings-from-code", "code_lists", "settings_text"),
    "errors": ("errors-from-code", "code_lists", "errors_text"),
    "events": ("events-from-code", "event_lists", "events_text"),
    "log lines": ("log-lines-from-code", "event_lists", "log_lines_text"),
    "templates": ("template-keys-from-code", "template_keys", "template_keys_text"),
    "commands": ("commands-from-code", "command_lists", "commands_text"),
    "permissions": ("permissions-from-code", "permission_lists", "permissions_text"),
}


@pytest.fixture
def written(monkeypatch):
    """What a list says, with the page around it."""
    monkeypatch.syspath_prepend(site.REPO / "docs" / "_ext")

    def read(name: str) -> str:
        directive, module, function = LISTS[name]
        page = (REFERENCE / f"{'events' if name == 'log lines' else name}.rst").read_text(encoding="utf-8")
        assert f".. {directive}::" in page
        return page + getattr(import_module(module), function)()

    return read


def found(pattern: str) -> set[str]:
    """What a pattern finds in our sources."""
    return {name for source in SOURCES.values() for name in re.findall(pattern, source)}


@pytest.mark.parametrize(
    ("name", "pattern", "least"),
    [
        pytest.param("settings", r'conf\.get\("(\w+)[".]', 20, id="every setting that is read"),
        pytest.param("errors", r'^ +code(?:: ClassVar\[str\])? = "(\w+)"$', 10, id="every code of an error"),
        pytest.param("errors", r'^_DRF_CODES = \{\d+: "\w+", \d+: "(\w+)"', 1, id="what comes from the framework"),
        pytest.param("events", r'"(openedx\.ai\.workflow\.\w+|org\.openedx\.ai_extensions\.[\w.]+)"', 6, id="events"),
        pytest.param("log lines", r'logger\.(?:info|warning|error)\(\s*"([a-z_]+(?:\.[a-z_]+)+) ', 50, id="log lines"),
    ],
)
def test_nothing_of_the_code_is_missing(written, name, pattern, least):
    names = found(f"(?m){pattern}")
    assert len(names) >= least
    text = written(name)
    assert [name for name in sorted(names) if not re.search(rf"\b{re.escape(name)}\b", text)] == []


def test_every_setting_is_listed_with_its_default(written):
    listed = re.findall(r"\.\. confval:: (\S+)\n +:default: ", written("settings"))
    assert listed == [conf.path(name) for name in conf.SETTINGS]


def test_every_command_is_listed_with_every_argument(written):
    text = written("commands")
    names = [name for name, app in get_commands().items() if app == APP]
    assert sorted(re.findall(r"^\.\. _command_(\w+):$", text, re.MULTILINE)) == sorted(names)
    of_all = {action.dest for action in BaseCommand().create_parser("manage.py", "any")._actions}
    for name in names:
        section = text.partition(f".. _command_{name}:")[2].partition(".. _command_")[0]
        parser = load_command_class(APP, name).create_parser("manage.py", name)
        for action in parser._actions:
            if action.dest not in of_all:
                assert all(re.search(rf"``{option}\b", section) for option in action.option_strings)
                assert action.option_strings or f"``<{action.dest}>``" in section
        assert "See above." not in section, f"an argument of {name} has no help"


def test_every_permission_of_the_database_is_listed(written, db):
    text = written("permissions")
    names = set(Permission.objects.filter(content_type__app_label=APP).values_list("codename", flat=True))
    assert names
    assert {name for name in names if f"``{name}``" not in text} == set()


def test_every_system_check_is_listed():
    ids = found(r'"([EWI]\d{3})"') | {name[-4:] for name in found(r"openedx_ai_extensions\.[EWI]\d{3}")}
    listed = re.findall(
        r"``openedx_ai_extensions\.(\w\d{3})``", (site.REPO / "docs" / "operators.rst").read_text("utf-8")
    )
    assert ids
    assert sorted(listed) == sorted(ids)


def test_a_list_that_lacks_something_stops_the_build(written, monkeypatch):
    for module, table, name in (
        ("command_lists", "MORE", "commands"),
        ("event_lists", "TRACKED", "events"),
        ("template_keys", "MEANINGS", "templates"),
        ("permission_lists", "SPECIAL", "permissions"),
    ):
        written(name)
        monkeypatch.setattr(import_module(module), table, {})
        with pytest.raises(ValueError, match=module):
            written(name)
