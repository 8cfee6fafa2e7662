"""The apps that must be in ``INSTALLED_APPS`` beside this one, and the check that names those that are not.

Their models cannot be imported otherwise, nor can most of our modules. So without them this app has no pages, no
endpoints and no other checks, and the project still starts, to be told what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, register

# In the order in which Django's own documentation lists them.
REQUIRED_APPS: Mapping[str, str] = {
    "django.contrib.admin": "it records who changed what",
    "django.contrib.auth": "it has the users",
    "django.contrib.contenttypes": "django.contrib.admin and django.contrib.auth need it",
    "submissions": "it stores conversations",
}


def missing_apps() -> list[str]:
    """Those that are not in ``INSTALLED_APPS``."""
    return [name for name in REQUIRED_APPS if not apps.is_installed(name)]


@register("ai_extensions")
def check_required_apps(app_configs: Any = None, **_kwargs: Any) -> list[CheckMessage]:
    """Every app that this one needs is in ``INSTALLED_APPS``."""
    return [
        Error(
            f"{name} is not in INSTALLED_APPS. Without it, openedx_ai_extensions does nothing.",
            hint=f'Add "{name}" to INSTALLED_APPS: {REQUIRED_APPS[name]}.',
            id="openedx_ai_extensions.E007",
        )
        for name in missing_apps()
    ]
