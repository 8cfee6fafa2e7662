"""``manage.py ai_retire_user``: delete the data of a user, as the platform's retirement does."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from openedx_ai_extensions.runtime.retirement import ThreadDeletion, forget_thread, retire_user


class Command(BaseCommand):
    help = "Delete the sessions, conversations, consents and feedback of a user, here and at the LLM providers."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person", help="username or id")
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument(
            "--provider-threads",
            action=BooleanOptionalAction,
            default=True,
            help="delete the conversations at the providers",
        )

    def handle(self, *_args: Any, person: str, dry_run: bool, provider_threads: bool, **_options: Any) -> None:
        """Providers first: only the sessions know what the providers have stored."""
        user = _find(person)
        threads = retire_user(user, dry_run=True).threads
        asked = [forget_thread(thread) for thread in threads] if provider_threads and not dry_run else []
        retired = retire_user(user, dry_run=dry_run)
        done = "would be deleted" if dry_run else "deleted"
        self.stdout.write(f"sessions {done}: {retired.sessions}")
        self.stdout.write(f"submissions {done}: {retired.submissions}")
        self.stdout.write(f"ledger rows {'that would lose' if dry_run else 'that lost'} the person: {retired.runs}")
        self.stdout.write(f"consents {done}: {retired.consents}")
        self.stdout.write(f"feedback {done}: {retired.feedback}")
        if dry_run:
            self.stdout.write(f"provider threads kept: {len(threads)}")
            return
        self.stdout.write(f"provider responses deleted: {sum(forgotten.responses for forgotten in asked)}")
        self._report_left(asked if provider_threads else [ThreadDeletion(0, thread, "not_asked") for thread in threads])

    def _report_left(self, asked: list[ThreadDeletion]) -> None:
        left = [(forgotten.left, forgotten.error_code) for forgotten in asked if forgotten.left is not None]
        self.stdout.write(f"provider threads left: {len(left)}")
        for thread, error_code in left:
            self.stderr.write(f"left: {thread.provider} {thread.response_id} ({error_code})")


def _find(person: str) -> Any:
    """The user with this username or id.

    Raises:
        CommandError: there is none, or there are two.
    """
    people = get_user_model().objects
    is_id = Q(pk=int(person)) if person.isascii() and person.isdigit() and len(person) < 19 else Q()
    found = [
        user for user in people.filter(Q(username=person) | is_id) if person in {user.get_username(), str(user.pk)}
    ]
    if len(found) != 1:
        raise CommandError(f"{'No user has' if not found else 'Two users have'} the username or id {person}.")
    return found[0]
