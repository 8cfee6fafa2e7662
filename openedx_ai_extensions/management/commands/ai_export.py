"""``manage.py ai_export``: profiles, scopes and prompts as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from openedx_ai_extensions.console.transfer import EntryKind, Format, export


class Command(BaseCommand):
    help = "Write profiles, scopes and prompts to a file that ai_import reads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=list(Format), default=Format.YAML.value, dest="file_format")
        parser.add_argument("--only", help="comma-separated: prompts, profiles, scopes; all by default")
        parser.add_argument("-o", "--output", help="the file to write; the standard output by default")
        parser.add_argument(
            "--with-secrets", action="store_true", help="keep credentials in patches and prompts, instead of [REDACTED]"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        only, output, file_format = options["only"], options["output"], options["file_format"]
        kinds = _kinds(only)
        if file_format == Format.CSV and only and kinds != [EntryKind.SCOPES]:
            raise CommandError("A CSV file contains only scopes.")
        written = export(Format(file_format), kinds, with_secrets=options["with_secrets"])
        if output:
            _write(Path(output), written.text)
        else:
            self.stdout.write(written.text, ending="")
        if written.masked:
            self.stderr.write(f"texts with credentials replaced: {written.masked} (--with-secrets keeps them)")


def _kinds(only: str | None) -> list[EntryKind]:
    names = [name.strip() for name in (only or ",".join(EntryKind)).split(",") if name.strip()]
    unknown = [name for name in names if name not in list(EntryKind)]
    if unknown or not names:
        raise CommandError(f"--only takes any of: {', '.join(EntryKind)}.")
    return [kind for kind in EntryKind if kind in names]


def _write(path: Path, text: str) -> None:
    """Only the owner can read the file: it may contain credentials and private prompts."""
    try:
        path.touch(mode=0o600)
        with path.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
