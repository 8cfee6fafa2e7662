"""``manage.py ai_course_text``: the course text that a model reads at a location, as one user sees it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from openedx_ai_extensions.edxapp.access import find_user, parse_place
from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.management.base import AICommand
from openedx_ai_extensions.processors import OpenEdXProcessor


class Command(AICommand):
    help = "Show the course text that a model reads at a location, as one user sees it, and what is left out of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("location", help="usage key of the location")
        parser.add_argument("--user", required=True, help="username of the user who sees it")
        parser.add_argument("--retrieval-mode", choices=list(RetrievalMode), default=RetrievalMode.UNIT.value)
        parser.add_argument("--char-limit", type=int, help="longest text in characters; no limit by default")

    def handle(
        self, *_args: Any, location: str, user: str, retrieval_mode: str, char_limit: int | None, **_options: Any
    ) -> None:
        reading = OpenEdXProcessor(
            {OpenEdXProcessor.__name__: {"retrieval_mode": retrieval_mode, "char_limit": char_limit}},
            location_id=parse_place(None, location, names=("course", "location"))[1],
            user=find_user(user),
        ).explain_location_content()
        self.stdout.write(reading.text)
        self.stdout.write(f"\ncharacters: {len(reading.text)}")
        self.stdout.write(f"left out: {len(reading.omissions)}")
        for entry in reading.omissions:
            self.stdout.write(f"{entry.usage_key} {entry.reason.value}: {entry.reason.label}")
