"""All events, filters, signals and log lines, as reStructuredText."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from edx_django_utils.plugins.constants import PluginSignals
from openedx_events.tooling import OpenEdxPublicSignal
from openedx_filters.tooling import OpenEdxPublicFilter
from rst_tables import plain, table

from openedx_ai_extensions import filters
from openedx_ai_extensions.apps import OpenEdXAIExtensionsConfig
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.xapi import constants

OURS = "org.openedx.ai_extensions."
LEVELS = ("info", "warning", "error")
# The demo is a site of its own.
WITHOUT = "demo"

TRACKED: Mapping[str, str] = {
    constants.EVENT_COMPLETED: "A one-shot workflow has answered.",
    constants.EVENT_INITIALIZED: "A conversation has its first answer.",
    constants.EVENT_INTERACTED: "A conversation has another answer.",
    constants.EVENT_RATED: "A person has rated an answer, if the profile sets ``trackFeedback``.",
    constants.EVENT_REPORTED: "A person has reported an answer, if the profile sets ``trackFeedback``.",
}
ON_THE_BUS: Mapping[str, str] = {
    "org.openedx.ai_extensions.orchestration.requested.v1": "A service requests an action of a workflow for a person. "
    "Received if :confval:`AI_EXTENSIONS_ENABLE_EVENT_BUS_CONSUMER` is true.",
}


def events_text() -> str:
    """Every event, filter and signal.

    Raises:
        ValueError: nothing is said of one.
    """
    rows = [*_tracking(), *_bus(), *_filters(), *_signals()]
    return table(("Name", "Kind", "When", "More"), (38, 14, 34, 14), rows)


def _tracking() -> Iterator[tuple[str, ...]]:
    for name in constants.EVENTS:
        yield f"``{name}``", "tracking event", _said_of(name, TRACKED), ":doc:`xapi`"


def _bus() -> Iterator[tuple[str, ...]]:
    for signal in OpenEdxPublicSignal.all_events():
        name = signal.event_type
        if name.startswith(OURS):
            yield f"``{name}``", "event of the bus", _said_of(name, ON_THE_BUS), ":doc:`/operators/events`"


def _filters() -> Iterator[tuple[str, ...]]:
    for _name, point in inspect.getmembers(filters, inspect.isclass):
        if issubclass(point, OpenEdxPublicFilter) and point.filter_type.startswith(OURS):
            sentence = inspect.cleandoc(point.__doc__ or "").partition("\n\n")[0].replace("\n", " ")
            yield f"``{point.filter_type}``", "filter", plain(sentence), ":ref:`filters`"


def _signals() -> Iterator[tuple[str, ...]]:
    yield (
        "``openedx_ai_extensions.ledger.signals.limit_reached``",
        "Django signal",
        "80 % or 100 % of a limit of the site, a provider, a course or a profile is used.",
        ":ref:`limit_reached_receiver`",
    )
    for receivers in OpenEdXAIExtensionsConfig.plugin_app["signals_config"].values():
        for receiver in receivers[PluginSignals.RECEIVERS]:
            name = receiver[PluginSignals.SIGNAL_PATH]
            said = "The platform retires a person. The plugin receives it."
            yield f"``{name}``", "signal of the platform", said, ":doc:`/operators/retirement`"


def _said_of(name: str, meanings: Mapping[str, str]) -> str:
    if name not in meanings:
        raise ValueError(f"event_lists.py says nothing of {name}")
    return meanings[name]


def log_lines_text() -> str:
    """Every log line: its name, its keys and its level."""
    lines = sorted({line for path in sorted(conf.PACKAGE_DIR.rglob("*.py")) for line in _log_lines(path)})
    return table(
        ("Line", "Keys", "Level"),
        (38, 50, 12),
        ((f"``{name}``", ", ".join(f"``{key}``" for key in keys), level) for name, keys, level in lines),
    )


def _log_lines(path: Path) -> Iterator[tuple[str, tuple[str, ...], str]]:
    if path.relative_to(conf.PACKAGE_DIR).parts[0] == WITHOUT:
        return
    for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match call:
            case ast.Call(func=ast.Attribute(value=ast.Name("logger"), attr=level), args=[ast.Constant(str(text)), *_]):
                name, _space, rest = text.partition(" ")
                if level in LEVELS:
                    yield re.sub(r"%\w", "…", name), tuple(re.findall(r"(\w+)=", rest)), level
