"""The backend that answers for courses, rights and libraries."""

from __future__ import annotations

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from openedx_ai_extensions.console.health.findings import Finding, HealthLevel
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.platform import OpenEdXPlatform
from openedx_ai_extensions.edxapp.platform.imports import missing_names


def check() -> list[Finding]:
    """Which it is, and whether what it imports is there."""
    path = conf.get("AI_EXTENSIONS_BACKEND")
    subject = _("Backend")
    try:
        backend = import_string(path)
    except ImportError:
        advice = _("Correct AI_EXTENSIONS_BACKEND, or leave it out.")
        return [Finding(HealthLevel.ERROR, subject, _("{path} cannot be imported.").format(path=path), advice)]
    service = conf.service_variant()
    text = _("{path}, in the service {service}.").format(path=path, service=service)
    if not (isinstance(backend, type) and issubclass(backend, OpenEdXPlatform)):
        return [Finding(HealthLevel.OK, subject, text)]
    missing = missing_names()
    if not missing:
        return [Finding(HealthLevel.OK, subject, text)]
    lacking = _("This platform lacks: {names}.").format(names=", ".join(missing))
    advice = _("What needs them fails. They may belong to an optional app, or this release moved them: look for a "
               "newer version of this plugin.")  # fmt: skip
    return [Finding(HealthLevel.OK, subject, text), Finding(HealthLevel.WARNING, _("Imports"), lacking, advice)]
