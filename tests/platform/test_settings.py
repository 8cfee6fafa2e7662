"""The plugin in the settings of the platform: each type of them, whatever other plugins do before and after."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from django.conf import settings
from django.core.checks import Error, run_checks
from django.core.management import call_command
from django.test.utils import override_settings
from edx_django_utils.plugins import get_plugin_apps

from openedx_ai_extensions.edxapp.platform.imports import missing_names
from openedx_ai_extensions.plugin_settings import plugin_settings
from openedx_ai_extensions.xapi import constants
from openedx_ai_extensions.xapi.allow_list import backends_to_xapi

EVENTS = set(constants.EVENTS)
ALLOWED = "EVENT_TRACKING_BACKENDS_ALLOWED_XAPI_EVENTS"
# What a process with these settings says of itself.
SHOW = f"""
import json, django
django.setup()
from django.conf import settings
from django.urls import reverse
from openedx_ai_extensions.xapi.allow_list import backends_to_xapi
print("FOUND " + json.dumps([
    settings.SERVICE_VARIANT,
    "openedx_ai_extensions" in " ".join(settings.INSTALLED_APPS),
    sorted(settings.{ALLOWED}),
    {{name: "openedx.ai.workflow.completed" in str(settings.EVENT_TRACKING_BACKENDS[name])
     for name in backends_to_xapi(settings)}},
    reverse("openedx_ai_extensions:api:v1:aiext_workflows"),
]))
"""


def test_the_platform_has_installed_the_plugin() -> None:
    project = {"lms": "lms.djangoapp", "cms": "cms.djangoapp"}[settings.SERVICE_VARIANT]
    (ours,) = (app for app in get_plugin_apps(project) if app.startswith("openedx_ai_extensions"))
    assert ours in settings.INSTALLED_APPS


def test_our_events_are_let_through() -> None:
    assert set(getattr(settings, ALLOWED)) >= EVENTS


@pytest.mark.parametrize("order", ["ours first", "theirs first", "ours again"])
def test_before_and_after_event_routing_s_own_settings(order: str) -> None:
    """Its settings write what ours only add to; ours run once more when the app is ready."""
    theirs = [importlib.import_module(f"event_routing_backends.settings.{kind}") for kind in ("common", "production")]
    steps = {"ours first": [plugin_settings], "theirs first": [], "ours again": [plugin_settings]}[order]
    steps = [*steps, *(module.plugin_settings for module in theirs), plugin_settings]
    site = SimpleNamespace(LMS_ROOT_URL=settings.LMS_ROOT_URL, ENV_TOKENS={}, FEATURES={}, EVENT_TRACKING_BACKENDS={})
    if order == "ours again":
        steps.append(plugin_settings)
    for step in steps:
        step(site)
    allowed = getattr(site, ALLOWED)
    assert set(allowed) >= EVENTS
    assert len(allowed) == len(set(allowed))
    for name in backends_to_xapi(site):
        assert constants.EVENT_COMPLETED in str(site.EVENT_TRACKING_BACKENDS[name]), name


def run_python(*arguments: str, **environment: str) -> str:
    """What a new process of this service prints, in the platform's directory."""
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return done.stdout


def test_production_settings(tmp_path: Path) -> None:
    """As a site starts: production.py with the platform's own minimal configuration, in front of SQLite."""
    service = settings.SERVICE_VARIANT
    config = yaml.safe_load(Path("lms/envs/minimal.yml").read_text(encoding="utf-8"))
    config["DATABASES"] = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "db")}}
    for name in ("USER", "PASSWORD", "HOST", "PORT"):
        config["DATABASES"]["default"][name] = ""
    (tmp_path / "config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    printed = run_python(
        "-c",
        SHOW,
        DJANGO_SETTINGS_MODULE=f"{service}.envs.production",
        SERVICE_VARIANT=service,
        **{f"{service.upper()}_CFG": str(tmp_path / "config.yml")},
    )
    (line,) = (line for line in printed.splitlines() if line.startswith("FOUND "))
    variant, is_installed, allowed, is_routed, url = json.loads(line.removeprefix("FOUND "))
    assert (variant, is_installed) == (service, True)
    assert all(is_routed.values()), is_routed
    assert set(allowed) >= EVENTS
    assert url == "/openedx-ai-extensions/v1/workflows/"


@pytest.mark.django_db
def test_there_is_no_migration_to_make() -> None:
    """Where tests run without migrations, those of OAuth miss settings that only they need."""
    kinds = ("ACCESS_TOKEN", "REFRESH_TOKEN", "ID_TOKEN", "GRANT", "APPLICATION")
    names = {kind: "".join(word.capitalize() for word in kind.split("_")).replace("Id", "ID") for kind in kinds}
    models = {f"OAUTH2_PROVIDER_{kind}_MODEL": f"oauth2_provider.{name}" for kind, name in names.items()}
    with override_settings(MIGRATION_MODULES={}, **models):
        call_command("makemigrations", "openedx_ai_extensions", check_changes=True, dry_run=True, stdout=StringIO())


def test_checks_find_no_fault() -> None:
    ours = [message for message in run_checks() if message.id and message.id.startswith("openedx_ai_extensions")]
    assert [message for message in ours if isinstance(message, Error) or message.level >= 40] == []


def test_every_name_that_we_import_is_there() -> None:
    """Of each half of the platform; what only the other has switched on may be missing, and is never asked for."""
    missing = missing_names()
    if settings.SERVICE_VARIANT == "lms":
        missing = [name for name in missing if "content_libraries" not in name]
    assert missing == []
