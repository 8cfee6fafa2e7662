"""``manage.py ai_health``: the checks of the admin's health page, in this process."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser

from openedx_ai_extensions.console.health import HealthLevel, HealthSection, ping, report
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.management.base import AICommand, add_fail_level, add_format


class Command(AICommand):
    help = "Check providers, templates, cache, worker, database, events and platform, and say what to do."
    requires_system_checks = ()  # it reports the problems itself

    def add_arguments(self, parser: CommandParser) -> None:
        add_format(parser)
        parser.add_argument("--ask", action="store_true", help="send a short request to each provider, which is billed")
        add_fail_level(parser)

    def handle(self, *_args: Any, ask: bool, fail_level: str, **options: Any) -> None:
        sections = report()
        if ask:
            asked = [ping(name) for name in conf.providers()]
            sections.append(HealthSection("signs_of_life", "Signs of life", asked))
        if options["format"] == "json":
            self.write_json([_as_dict(section) for section in sections])
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
