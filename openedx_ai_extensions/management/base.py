"""What several management commands share."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from openedx_ai_extensions.exceptions import InvalidRequest, ProcessorError


class AICommand(BaseCommand):
    """A command that ends with one line, not a traceback, if an argument is invalid."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            return super().execute(*args, **options)
        except (InvalidRequest, ProcessorError) as error:
            raise CommandError(str(error)) from error

    def write_json(self, value: Any) -> None:
        self.stdout.write(json.dumps(value, indent=2, ensure_ascii=False))


def add_format(parser: CommandParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text")


def add_fail_level(parser: CommandParser) -> None:
    parser.add_argument(
        "--fail-level",
        choices=("warning", "error"),
        default="error",
        help="the exit status is 1 if a problem has at least this level (error)",
    )
