"""The plugin as the platform's plugin manager sees it: installed, configured and mounted."""

from __future__ import annotations

import subprocess
import sys

import pytest
from django.urls import Resolver404, URLResolver, resolve
from edx_django_utils.plugins import get_plugin_apps, get_plugin_url_patterns

from tests.settings import REPO

APP = "openedx_ai_extensions.apps.OpenEdXAIExtensionsConfig"
PROJECTS = ["lms.djangoapp", "cms.djangoapp"]


@pytest.mark.parametrize("project", PROJECTS)
def test_the_plugin_manager_finds_the_app(project):
    assert APP in get_plugin_apps(project)


@pytest.mark.parametrize("project", PROJECTS)
def test_the_plugin_manager_mounts_the_urls(project):
    (ours,) = [
        pattern
        for pattern in get_plugin_url_patterns(project)
        if isinstance(pattern, URLResolver) and pattern.namespace == "openedx_ai_extensions"
    ]
    assert ours.resolve("openedx-ai-extensions/v1/workflows/").route.endswith("v1/workflows/")


def test_the_urls_are_mounted_on_the_site():
    assert resolve("/openedx-ai-extensions/v1/profile/").namespaces[0] == "openedx_ai_extensions"
    with pytest.raises(Resolver404):
        resolve("/openedx-ai-extensions/v1/nothing-of-the-kind/")


def test_settings_load_quickly_and_quietly():
    """Settings run before logging is set up: what they import must not complain, nor load what only requests need."""
    code = "import tests.settings, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-W", "ignore:pkg_resources", "-c", code], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert loaded.stderr == ""
    assert not {"litellm", "event_routing_backends.helpers", "eventtracking.tracker"} & set(loaded.stdout.split())
