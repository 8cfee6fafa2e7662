"""``manage.py ai_upgrade``: take over the data of the public implementation of the same contract.

The output names rows by their ids and slugs, and contains no texts that users wrote.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from openedx_ai_extensions.contrib.upgrade.foreign_tables import find
from openedx_ai_extensions.contrib.upgrade.upgrade import (
    Copying,
    Report,
    drop_old,
    remaining,
    require_possible,
    upgrade,
)


class Command(BaseCommand):
    help = (
        "Take over profiles, prompts, scopes, sessions and conversations of the public implementation. Without "
        "--apply or --drop-old it only shows what it would do."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--dry-run", action="store_true", help="only show what would be done (this is the default)")
        what.add_argument("--apply", action="store_true", help="do it, or continue after an interruption")
        what.add_argument("--drop-old", action="store_true", help="drop the tables that were set aside")
        parser.add_argument(
            "--discard-left", action="store_true", help="with --drop-old: also drop rows that were not taken over"
        )
        parser.add_argument(
            "--template",
            action="append",
            default=[],
            metavar="OLD=NEW",
            help="the template for an old path; can be given several times",
        )

    def handle(
        self, *_args: Any, apply: bool, drop_old: bool, discard_left: bool, template: list[str], **_options: Any
    ) -> None:
        templates = dict(_pair(value) for value in template)
        if drop_old:
            self._drop_old(discard_left=discard_left)
        elif apply:
            self._apply(templates)
        else:
            self._look(templates)

    def _look(self, templates: dict[str, str]) -> None:
        finding = find(connection)
        if not finding.is_foreign and not finding.aside:
            self.stdout.write("Nothing to upgrade: there are no tables of another implementation.")
            return
        if finding.is_foreign:
            self.stdout.write("The tables of this app were made by another implementation:")
            for reason in finding.reasons():
                self.stdout.write(f"  {reason}")
            self.stdout.write(f"would be set aside: {', '.join(finding.tables) or 'none'}")
        if finding.aside:
            self.stdout.write(f"set aside already: {', '.join(finding.aside)}")
        require_possible(connection, finding)
        for report in Copying(connection, templates, has_ours=finding.is_ours, is_dry_run=True).run():
            self._tell(report, "would be taken over")
        self.stdout.write("Nothing has been changed. Use --apply to do it.")

    def _apply(self, templates: dict[str, str]) -> None:
        is_any = False
        for step in upgrade(connection, templates):
            is_any = True
            if isinstance(step, Report):
                self._tell(step, "taken over")
            else:
                self.stdout.write(step)
        if not is_any:
            self.stdout.write("Nothing to upgrade: there are no tables of another implementation.")
            return
        self.stdout.write("The old tables are kept until you use --drop-old.")

    def _drop_old(self, *, discard_left: bool) -> None:
        if not find(connection).aside:
            self.stdout.write("No tables are set aside.")
            return
        left = {kind: number for kind, number in remaining(connection).items() if number}
        if left and not discard_left:
            counted = ", ".join(f"{kind}s: {number}" for kind, number in left.items())
            raise CommandError(
                f"Rows that were not taken over would be lost ({counted}). --dry-run shows why they were left; "
                "--discard-left drops them. Nothing has been changed."
            )
        dropped, submissions = drop_old(connection)
        self.stdout.write(f"dropped: {', '.join(dropped)}")
        self.stdout.write(f"old submissions deleted: {submissions}")

    def _tell(self, report: Report, done: str) -> None:
        before = f", earlier: {report.before}" if report.before else ""
        self.stdout.write(f"{report.kind}s {done}: {report.taken}{before}, left: {len(report.left)}")
        for name, note in report.notes:
            self.stdout.write(f"  note: {name}: {note}")
        for name, reason in report.left:
            self.stdout.write(f"  left: {report.kind} {name}: {reason}")


def _pair(value: str) -> tuple[str, str]:
    old, sign, new = value.partition("=")
    if not sign or not old or not new:
        raise CommandError(f"--template {value}: it must be OLD=NEW.")
    return old, new
