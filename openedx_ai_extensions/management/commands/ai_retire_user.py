"""``manage.py ai_retire_user``: delete everything of a person, as the platform's retirement does."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from openedx_ai_extensions.runtime.retirement import ProviderThread, ThreadDeletion, forget_thread, retire_user


class Command(BaseCommand):
    """Counts go to the output; what a provider failed to delete goes to the error output, with its id."""

    help = "Delete the sessions, conversations and consents of a person, and what LLM providers keep of them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person", help="username or id")
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument(
            "--provider-threads",
            action=BooleanOptionalAction,
            default=True,
            help="have the providers delete what they keep",
        )

    def handle(self, *_args: Any, person: str, dry_run: bool, provider_threads: bool, **_options: Any) -> None:
        """Providers first: once the sessions are gone, nothing says what they keep."""
        user = _find(person)
        threads = retire_user(user, dry_run=True).threads
        asked = [forget_thread(thread) for thread in threads] if provider_threads and not dry_run else []
        retired = retire_user(user, dry_run=dry_run)
        done = "would be deleted" if dry_run else "deleted"
        self.stdout.write(f"sessions {done}: {retired.sessions}")
        self.stdout.write(f"submissions {done}: {retired.submissions}")
        self.stdout.write(f"ledger rows {'that would lose' if dry_run else 'that lost'} the person: {retired.runs}")
        self.stdout.write(f"consents {done}: {retired.consents}")
        if dry_run:
            self.stdout.write(f"provider threads kept: {len(threads)}")
            return
        self.stdout.write(f"provider responses deleted: {sum(forgotten.responses for forgotten in asked)}")
        self._report_left(asked if provider_threads else [ThreadDeletion(0, thread, "not_asked") for thread in threads])

    def _report_left(self, asked: list[ThreadDeletion]) -> None:
        left = [forgotten for forgotten in asked if forgotten.left is not None]
        self.stdout.write(f"provider threads left: {len(left)}")
        for forgotten in left:
            self.stderr.write(f"left: {_name(forgotten.left)} ({forgotten.error_code})")


def _name(thread: ProviderThread | None) -> str:
    return "" if thread is None else f"{thread.provider} {thread.response_id}"


def _find(person: str) -> Any:
    """The person with this username or id.

    Raises:
        CommandError: nobody has it, or two people do.
    """
    people = get_user_model().objects
    is_id = Q(pk=int(person)) if person.isascii() and person.isdigit() and len(person) < 19 else Q()
    found = [
        user for user in people.filter(Q(username=person) | is_id) if person in {user.get_username(), str(user.pk)}
    ]
    if len(found) != 1:
        raise CommandError(f"{'Nobody has' if not found else 'Two people have'} the username or id {person}.")
    return found[0]
