"""Our events get through to xAPI, whoever's settings run first and whatever the site configured itself."""

from __future__ import annotations

import copy
import importlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from django.apps import apps
from edx_django_utils.plugins import add_plugins, registry
from eventtracking import tracker
from eventtracking.django.django_tracker import override_default_tracker

from openedx_ai_extensions.plugin_settings import plugin_settings
from tests.fakes.sites import ALLOWED, EVENT, EVENTS, SITE, admitting, operators_backends, whitelists

MakeSite = Callable[..., ModuleType]


@pytest.fixture(params=["ours first", "event routing's first"])
def _order(request, monkeypatch) -> None:
    """Settings of plugins run as they were discovered, which depends on the file system."""
    discovered = registry.get_plugin_app_configs

    def ordered(project_type: str) -> list[type]:
        ours = [config for config in discovered(project_type) if config.name == "openedx_ai_extensions"]
        others = [config for config in discovered(project_type) if config.name != "openedx_ai_extensions"]
        return ours + others if request.param == "ours first" else others + ours

    monkeypatch.setattr(registry, "get_plugin_app_configs", ordered)


@pytest.fixture
def make_site(tmp_path, monkeypatch) -> Iterator[MakeSite]:
    """Write a settings module, and let plugins of a project add the settings of these types, one after another."""
    monkeypatch.syspath_prepend(tmp_path)

    def make(*types: str, project: str = "lms.djangoapp", more: str = "") -> ModuleType:
        (tmp_path / "a_sites_settings.py").write_text(SITE + more, encoding="utf-8")
        site = importlib.import_module("a_sites_settings")
        for settings_type in types:
            add_plugins("a_sites_settings", project, settings_type)
        return site

    yield make
    sys.modules.pop("a_sites_settings", None)


@pytest.fixture
def start(settings) -> Iterator[Callable[[ModuleType], None]]:
    """Start the site with these settings: the tracker is built, then our app gets ready."""
    before = tracker.get_tracker()

    def start_site(site: ModuleType) -> None:
        for name in (ALLOWED, "EVENT_TRACKING_BACKENDS", "EVENT_BUS_TRACKING_LOGS"):
            setattr(settings, name, getattr(site, name))
        override_default_tracker()
        apps.get_app_config("openedx_ai_extensions").ready()

    yield start_site
    tracker.register_tracker(before)


@pytest.mark.usefixtures("_order")
@pytest.mark.parametrize("project", ["lms.djangoapp", "cms.djangoapp"])
@pytest.mark.parametrize(
    "types",
    [
        pytest.param(("common",), id="common settings only"),
        pytest.param(("common", "production"), id="common, then production settings"),
        pytest.param(("common", "devstack"), id="common, then devstack settings"),
        pytest.param(("common", "test"), id="common, then test settings"),
        pytest.param(("common", "production", "common", "production"), id="everything twice"),
    ],
)
def test_our_event_gets_through_to_xapi_and_nowhere_else(make_site, types, project):
    site = make_site(*types, project=project)
    assert getattr(site, ALLOWED).count(EVENT) == 1
    assert EVENT in site.EVENT_BUS_TRACKING_LOGS
    assert admitting(site.EVENT_TRACKING_BACKENDS) == {"event_transformer", "event_transformer/xapi"}
    nested = whitelists(site.EVENT_TRACKING_BACKENDS)["event_transformer/xapi"]
    assert list(nested).count(EVENT) == 1
    assert "edx.course.enrollment.activated" in nested
    assert whitelists(site.EVENT_TRACKING_BACKENDS)["tracking_logs"] == ["the.sites.own"]


def test_running_twice_changes_nothing_more(make_site):
    site = make_site("common")
    once = {name: copy.deepcopy(value) for name, value in vars(site).items() if name.isupper()}
    plugin_settings(site)
    assert {name: value for name, value in vars(site).items() if name.isupper()} == once


def test_without_event_routing_a_site_gains_one_list(make_site):
    site = make_site()
    before = {name: copy.deepcopy(value) for name, value in vars(site).items() if name.isupper()}
    plugin_settings(site)
    after = {name: value for name, value in vars(site).items() if name.isupper()}
    after.pop("DEFAULT_EXCEPTION_REPORTER")
    assert after == {**before, ALLOWED: EVENTS}


@pytest.mark.parametrize("kind", [list, tuple, set, frozenset])
def test_what_the_site_holds_is_extended_in_a_copy(make_site, kind):
    site = make_site()
    theirs = kind(["the.sites.own"])
    site.EVENT_TRACKING_BACKENDS_ALLOWED_XAPI_EVENTS = theirs
    site.EVENT_BUS_TRACKING_LOGS = theirs
    site.EVENT_TRACKING_BACKENDS = backends = operators_backends(theirs)
    plugin_settings(site)

    assert theirs == kind(["the.sites.own"])
    assert backends == operators_backends(theirs)
    held = [
        getattr(site, ALLOWED),
        site.EVENT_BUS_TRACKING_LOGS,
        *(whitelists(site.EVENT_TRACKING_BACKENDS)[name] for name in ("event_bus", "event_bus/statements")),
    ]
    assert all(set(names) == {"the.sites.own", *EVENTS} for names in held)
    assert len({id(names) for names in held}) == len(held)


def test_the_operators_backends_keep_all_else(make_site):
    site = make_site()
    site.EVENT_TRACKING_BACKENDS = operators_backends(["the.sites.own"])
    plugin_settings(site)
    extended = vars(site)["EVENT_TRACKING_BACKENDS"]
    assert extended == operators_backends(["the.sites.own", *EVENTS])


@pytest.mark.usefixtures("_order")
@pytest.mark.parametrize(
    "more",
    [
        pytest.param("", id="event routing's own"),
        pytest.param(
            f"ENV_TOKENS = {{'EVENT_TRACKING_BACKENDS': {operators_backends(['the.sites.own'])!r}, "
            f"'{ALLOWED}': ['the.sites.own']}}",
            id="the operator's, from the environment file",
        ),
    ],
)
def test_at_start_up_the_tracker_admits_our_event_whatever_settings_it_was_built_from(make_site, start, more):
    site = make_site("common", "production", more=more)
    start(site)
    routes = [backend for backend in tracker.get_tracker().backends.values() if _routes_to_xapi(backend)]
    assert len(routes) == 1
    assert EVENT in routes[0].processors[0].whitelist
    assert all(EVENT in nested.processors[0].whitelist for nested in routes[0].backends.values() if _to_xapi(nested))


def test_getting_ready_again_leaves_the_tracker_alone(make_site, start):
    start(make_site("common"))
    before = tracker.get_tracker()
    apps.get_app_config("openedx_ai_extensions").ready()
    assert tracker.get_tracker() is before


def _routes_to_xapi(backend: Any) -> bool:
    return any(_to_xapi(nested) for nested in getattr(backend, "backends", {}).values())


def _to_xapi(backend: Any) -> bool:
    return any(type(processor).__name__ == "XApiProcessor" for processor in getattr(backend, "processors", []))
