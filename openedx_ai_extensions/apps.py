"""The Django app, and what makes it a plugin of the LMS and Studio."""

from __future__ import annotations

import logging
from importlib import import_module

from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _
from edx_django_utils.plugins.constants import PluginSettings, PluginSignals, PluginURLs

from openedx_ai_extensions.console.required_apps import missing_apps

logger = logging.getLogger(__name__)

_URLS = {
    PluginURLs.NAMESPACE: "openedx_ai_extensions",
    PluginURLs.REGEX: r"^openedx-ai-extensions/",
    PluginURLs.RELATIVE_PATH: "urls",
}
# One function serves every settings type: it only sets what is absent, so running it twice is harmless.
_SETTINGS = {
    settings_type: {PluginSettings.RELATIVE_PATH: "plugin_settings"}
    for settings_type in ("common", "production", "devstack", "test")
}
# The first comes early in a retirement, the second hours later at its end. It deletes data written in between.
_RETIREMENT = {
    PluginSignals.RELATIVE_PATH: "events.receivers",
    PluginSignals.RECEIVERS: [
        {
            PluginSignals.RECEIVER_FUNC_NAME: "retire",
            PluginSignals.SIGNAL_PATH: f"openedx.core.djangoapps.user_api.accounts.signals.{signal}",
            PluginSignals.DISPATCH_UID: f"openedx_ai_extensions.{signal}",
        }
        for signal in ("USER_RETIRE_LMS_MISC", "USER_RETIRE_LMS_CRITICAL")
    ],
}


class OpenEdXAIExtensionsConfig(AppConfig):
    """Settings, URLs and start-up of the plugin."""

    name = "openedx_ai_extensions"
    verbose_name = _("AI extensions")
    default_auto_field = "django.db.models.BigAutoField"

    plugin_app = {
        PluginURLs.CONFIG: {"lms.djangoapp": _URLS, "cms.djangoapp": _URLS},
        PluginSettings.CONFIG: {"lms.djangoapp": _SETTINGS, "cms.djangoapp": _SETTINGS},
        PluginSignals.CONFIG: {"lms.djangoapp": _RETIREMENT},  # which is where people are retired
    }

    def import_models(self) -> None:
        """Make our event type known as well: the event bus looks for it in its own ``ready``, maybe before ours."""
        super().import_models()
        import_module(f"{self.name}.events.signals")

    def ready(self) -> None:
        """Import the modules that register themselves: admin pages, workers, validators, checks, transformers."""
        missing = missing_apps()
        if missing:  # then most of them cannot be imported; servers run no checks, so the log says it too
            logger.error("setup.apps_missing apps=%s", ",".join(missing))
            return
        for module in ("admin.pages", "console.checks", "runtime", "processors.openedx.tools", "events.receivers"):
            import_module(f"{self.name}.{module}")
        import_module(f"{self.name}.contrib.upgrade.foreign_tables")
        if apps.is_installed("event_routing_backends"):
            import_module(f"{self.name}.xapi.transformers")
            import_module(f"{self.name}.xapi.events").ensure_events_allowed()
        import_module(f"{self.name}.processors.llm.provider.preload").preload()
