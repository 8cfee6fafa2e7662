"""``migrate`` on tables that are not ours stops with the words for it, before anything is changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.core.management.base import CommandError
from django.db import connections, router
from django.db.models.signals import pre_migrate
from django.dispatch import receiver

from openedx_ai_extensions.contrib.upgrade.history import APP, find, is_ours

ADVICE = "Run 'manage.py ai_upgrade' to see what would be taken over, and 'manage.py ai_upgrade --apply' to do it."


@receiver(pre_migrate, dispatch_uid=f"{APP}.upgrade.guard")
def refuse_foreign_tables(app_config: AppConfig, using: str, plan: Sequence[Any], **_kwargs: Any) -> None:
    """Stop, if any of our migrations is to run on another implementation's tables.

    Raises:
        CommandError: it is; nothing has been changed.
    """
    is_concerned = app_config.label == APP and any(migration.app_label == APP for migration, _backwards in plan)
    # Databases that have no tables of this app have its history nevertheless.
    if not is_concerned or not router.allow_migrate(using, APP) or is_ours(connections[using]):
        return
    finding = find(connections[using])
    if finding.is_foreign:
        reasons = "\n".join(f"  - {reason}" for reason in finding.reasons())
        raise CommandError(
            f"The tables of the app {APP} were made by another implementation. Nothing has been changed.\n"
            f"{reasons}\n{ADVICE}"
        )
