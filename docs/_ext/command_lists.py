"""Every management command with its arguments, as argparse knows them, as reStructuredText."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pkgutil import iter_modules

from django.core.management import load_command_class
from django.core.management.base import BaseCommand
from rst_tables import plain

from openedx_ai_extensions.management import commands

APP = "openedx_ai_extensions"

# Where each is explained.
MORE: Mapping[str, str] = {
    "ai_check": ":ref:`drift`",
    "ai_course_text": ":doc:`/authors/content`",
    "ai_explain": ":ref:`why_here`",
    "ai_export": ":ref:`transfer`",
    "ai_health": ":ref:`health`",
    "ai_import": ":ref:`transfer`",
    "ai_purge_ledger": ":doc:`/operators/costs`",
    "ai_retire_user": ":doc:`/operators/retirement`",
    "ai_upgrade": ":doc:`/operators/upgrade`",
    "ai_usage_report": ":doc:`/operators/costs`",
}


def command_names() -> list[str]:
    return sorted(module.name for module in iter_modules(commands.__path__))


def commands_text() -> str:
    """Every command: what it is for, how it is called, what each argument means.

    Raises:
        ValueError: nothing says where a command is explained, or of one that is no more.
    """
    names = command_names()
    if set(names) != MORE.keys():
        raise ValueError(f"command_lists.py and the commands differ in: {sorted(set(names) ^ MORE.keys())}")
    return "\n".join(line for name in names for line in _command(name))


def _command(name: str) -> Iterator[str]:
    command = load_command_class(APP, name)
    actions = _own_actions(command, name)
    yield from (f".. _command_{name}:", "", f"``{name}``", "=" * (len(name) + 4), "")
    yield from (f"{plain(command.help)} See {MORE[name]}.", "")
    yield from (".. code-block:: text", "", *_usage(name, actions), "")
    for action in actions:
        yield from (f"{', '.join(f'``{spelling}``' for spelling in _spellings(action))}", f"   {_meaning(action)}")
    yield ""


def _own_actions(command: BaseCommand, name: str) -> list[argparse.Action]:
    """Without those that every command of Django has."""
    of_all = {action.dest for action in BaseCommand().create_parser("manage.py", name)._actions}
    return [action for action in command.create_parser("manage.py", name)._actions if action.dest not in of_all]


def _usage(name: str, actions: list[argparse.Action]) -> Iterator[str]:
    """One line, or as many as it takes to keep them short."""
    line = f"   manage.py {name}"
    for action in sorted(actions, key=lambda action: bool(action.option_strings)):
        words = _spellings(action)[0]
        words = words if not action.option_strings or action.required else f"[{words}]"
        if len(line) + len(words) > 90:
            yield line
            line = " " * (len(name) + 13)
        line += f" {words}"
    yield line


def _spellings(action: argparse.Action) -> list[str]:
    """As it is typed, with what comes behind it."""
    value = "" if action.nargs == 0 else action.metavar or action.dest.upper()
    if action.choices is not None:
        value = f"{{{','.join(map(str, action.choices))}}}"
    if not action.option_strings:
        return [f"<{action.metavar or action.dest}>"]
    return [f"{option} {value}".rstrip() for option in action.option_strings]


def _meaning(action: argparse.Action) -> str:
    parts = [plain(action.help)] if action.help else []
    if action.choices is not None and not action.help:
        parts.append(" or ".join(f"``{choice}``" for choice in action.choices))
    if action.choices is not None and action.default and f"({action.default})" not in (action.help or ""):
        parts.append(f"``{action.default}`` when left out")
    return "; ".join(parts) or "See above."
