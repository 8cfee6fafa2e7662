"""A plugin like any other of the platform."""

from importlib import import_module

from django.apps import AppConfig

SETTINGS = {"common": {"relative_path": "plugin_settings"}}


class SampleConfig(AppConfig):
    name = "sample_ai_extension"
    plugin_app = {"settings_config": {"lms.djangoapp": SETTINGS, "cms.djangoapp": SETTINGS}}

    def ready(self):
        for module in ("tools", "capabilities"):
            import_module(f"{self.name}.{module}")
