"""``manage.py ai_import``: create and change profiles, scopes and prompts from a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from openedx_ai_extensions.console.transfer import Change, Format, read, run_import
from openedx_ai_extensions.console.transfer.importing import diff, summary
from openedx_ai_extensions.console.transfer.reading import MAX_BYTES, format_of
from openedx_ai_extensions.exceptions import InvalidRequest


class Command(BaseCommand):
    help = "Create and change profiles, scopes and prompts from a file of ai_export. Nothing is deleted."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="a YAML file, or a CSV file of scopes; - is the standard input")
        parser.add_argument(
            "--format", choices=list(Format), dest="file_format", help="derived from the file's name by default"
        )
        parser.add_argument("--dry-run", action="store_true", help="only show what would be done")

    def handle(self, *_args: Any, file: str, dry_run: bool, verbosity: int, **options: Any) -> None:
        file_format = options["file_format"]
        try:
            entries = read(_content(file), Format(file_format) if file_format else format_of(file))
        except InvalidRequest as error:
            raise CommandError(_bullets(error.message)) from None
        plan = run_import(entries, dry_run=dry_run)
        if plan.errors:
            raise CommandError(_bullets(plan.errors))
        for step in plan.steps:
            if step.change != Change.UNCHANGED:
                self.stdout.write(f"{'would be ' if dry_run else ''}{step.change}: {step.name}")
                if verbosity > 1 or step.change == Change.CHANGED:
                    self.stdout.write("".join(f"    {line}\n" for line in diff(step).splitlines()), ending="")
        self.stdout.write(summary(plan))


def _content(file: str) -> bytes:
    try:
        if file == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with Path(file).open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None


def _bullets(messages: Any) -> str:
    texts = messages if isinstance(messages, list) else [messages]
    return "\n".join(["Nothing was imported.", *(f"- {text}" for text in texts)])
