"""``manage.py ai_course_text``: what a model reads at a place in a course, as one person sees it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from openedx_ai_extensions.edxapp.access import parse_place
from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.exceptions import InvalidRequest, ProcessorError
from openedx_ai_extensions.processors import OpenEdXProcessor


class Command(BaseCommand):
    """The text comes first, then one line for each block that is left out of it, wholly or in part."""

    help = "Show the course text that a model reads at a place, as one person sees it, and what is left out of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("location", help="usage key of the place")
        parser.add_argument("--user", required=True, help="username of the person who sees it")
        parser.add_argument("--retrieval-mode", choices=list(RetrievalMode), default=RetrievalMode.UNIT.value)
        parser.add_argument("--char-limit", type=int, help="longest text in characters; no limit when left out")

    def handle(
        self, *_args: Any, location: str, user: str, retrieval_mode: str, char_limit: int | None, **_options: Any
    ) -> None:
        people = get_user_model()
        try:
            person = people.objects.get_by_natural_key(user)
        except people.DoesNotExist:
            raise CommandError(f"Nobody has the username {user}.") from None
        try:
            _course_key, usage_key = parse_place(None, location, names=("course", "location"))
            reading = OpenEdXProcessor(
                {OpenEdXProcessor.__name__: {"retrieval_mode": retrieval_mode, "char_limit": char_limit}},
                location_id=usage_key,
                user=person,
            ).explain_location_content()
        except (InvalidRequest, ProcessorError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(reading.text)
        self.stdout.write(f"\ncharacters: {len(reading.text)}")
        self.stdout.write(f"left out: {len(reading.omissions)}")
        for entry in reading.omissions:
            self.stdout.write(f"{entry.usage_key} {entry.reason.value}: {entry.reason.label}")
