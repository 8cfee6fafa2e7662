"""``manage.py ai_purge_ledger``: delete old runs from the ledger."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.ledger.audit import purge, purge_cutoff, purgeable_rows


class Command(BaseCommand):
    help = 'Delete runs older than AI_EXTENSIONS_COSTS["LEDGER_DAYS"] from the ledger. Reports stay complete.'

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, help="keep this many days instead")
        parser.add_argument("--batch", type=int, default=1000, help="number of runs per transaction (1000)")
        parser.add_argument("--dry-run", action="store_true", help="only count")

    def handle(self, *_args: Any, days: int | None, batch: int, dry_run: bool, **_options: Any) -> None:
        days = conf.get("AI_EXTENSIONS_COSTS.LEDGER_DAYS") if days is None else days
        if days < 1 or batch < 1:
            raise CommandError("--days and --batch must be 1 or more.")
        before = purge_cutoff(days, timezone.now())
        if dry_run:
            self.stdout.write(f"runs before {before:%Y-%m-%d} that would be deleted: {purgeable_rows(before).count()}")
            return
        deleted = 0
        for number in purge(before, batch):
            deleted += number
            self.stdout.write(f"deleted: {deleted}", ending="\r" if self.stdout.isatty() else "\n")
        self.stdout.write(f"runs before {before:%Y-%m-%d} deleted: {deleted}")
