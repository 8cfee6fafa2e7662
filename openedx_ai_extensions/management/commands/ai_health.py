"""``manage.py ai_health``: does everything work that AI on this site needs?"""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from openedx_ai_extensions.console.health import HealthLevel, HealthSection, ping, report
from openedx_ai_extensions.core import conf


class Command(BaseCommand):
    """The same as the admin's page, from this process: run it where the service in question runs."""

    help = "Say whether providers, templates, cache, worker, database, events and platform work, and what to do."
    requires_system_checks = ()  # it says itself what is wrong

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=("text", "json"), default="text")
        parser.add_argument("--ask", action="store_true", help="ask each provider for a word, which is paid for")
        parser.add_argument(
            "--fail-level",
            choices=(HealthLevel.WARNING.value, HealthLevel.ERROR.value),
            default=HealthLevel.ERROR.value,
            help="the exit status is 1 from this level on (error)",
        )

    def handle(self, *_args: Any, ask: bool, fail_level: str, **options: Any) -> None:
        sections = report()
        if ask:
            asked = [ping(name) for name in conf.providers()]
            sections.append(HealthSection("signs_of_life", "Signs of life", asked))
        if options["format"] == "json":
            self.stdout.write(json.dumps([_as_dict(section) for section in sections], indent=2, ensure_ascii=False))
        else:
            for section in sections:
                self._print(section)
        worst = max((section.level for section in sections), key=lambda level: level.rank)
        if worst.rank >= HealthLevel(fail_level).rank:
            raise CommandError(f"health: {worst}")

    def _print(self, section: HealthSection) -> None:
        self.stdout.write(section.title)
        for finding in section.findings:
            self.stdout.write(f"  [{finding.level}] {finding.subject}: {finding.text}")
            if finding.advice:
                self.stdout.write(f"      {finding.advice}")


def _as_dict(section: HealthSection) -> dict[str, Any]:
    return {
        "name": section.name,
        "title": section.title,
        "level": section.level.value,
        "findings": [
            {"level": each.level.value, "subject": each.subject, "text": each.text, "advice": each.advice}
            for each in section.findings
        ],
    }
