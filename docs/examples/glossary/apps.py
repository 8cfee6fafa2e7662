"""The Django app: what must be there before the first request."""

from importlib import import_module

from django.apps import AppConfig


class GlossaryConfig(AppConfig):
    """Imports what registers itself."""

    name = "glossary"

    def ready(self) -> None:
        for module in ("tools", "capabilities", "moderators", "receivers"):
            import_module(f"{self.name}.{module}")
