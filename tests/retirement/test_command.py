"""``manage.py ai_retire_user``."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command

from openedx_ai_extensions.models import AIWorkflowRun
from tests.retirement.conftest import kept

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments) -> tuple[list[str], str]:
    """The lines of the output, and the error output."""
    out, err = StringIO(), StringIO()
    call_command("ai_retire_user", *arguments, stdout=out, stderr=err)
    return out.getvalue().splitlines(), err.getvalue()


@pytest.mark.parametrize("name", ["username", "pk"])
def test_it_deletes_and_counts(chats, responses, learner, author, name):
    assert run(str(getattr(learner, name))) == (
        [
            "sessions deleted: 1",
            "submissions deleted: 4",
            "ledger rows that lost the person: 2",
            "consents deleted: 0",
            "feedback deleted: 0",
            "provider responses deleted: 2",
            "provider threads left: 0",
        ],
        "",
    )
    assert AIWorkflowRun.objects.filter(user=None).count() == 2
    assert not AIWorkflowRun.objects.filter(user=learner).exists()
    assert (kept(learner), kept(author), len(responses.memory.responses)) == ((0, 0), (1, 4), 2)
    assert run("learner")[0] == [
        "sessions deleted: 0",
        "submissions deleted: 0",
        "ledger rows that lost the person: 0",
        "consents deleted: 0",
        "feedback deleted: 0",
        "provider responses deleted: 0",
        "provider threads left: 0",
    ]


def test_a_dry_run_only_counts(chats, responses, learner):
    lines, _errors = run("learner", "--dry-run")
    assert lines == [
        "sessions would be deleted: 1",
        "submissions would be deleted: 4",
        "ledger rows that would lose the person: 2",
        "consents would be deleted: 0",
        "feedback would be deleted: 0",
        "provider threads kept: 1",
    ]
    assert AIWorkflowRun.objects.filter(user=learner).count() == 2
    assert kept(learner) == (1, 4)
    assert not responses.lookups


def test_the_provider_may_be_left_alone(chats, responses, learner):
    lines, errors = run("learner", "--no-provider-threads")
    assert lines[-2:] == ["provider responses deleted: 0", "provider threads left: 1"]
    assert errors.startswith("left: default resp_")
    assert kept(learner) == (0, 0)
    assert not responses.lookups


def test_what_a_provider_did_not_delete_is_named(chats, responses, learner, settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    last = chats[0].session.remote_response_id
    responses.fail(500)
    lines, errors = run("learner")
    assert lines[-2:] == ["provider responses deleted: 0", "provider threads left: 1"]
    assert errors == f"left: default {last} (service_unavailable)\n"
    assert kept(learner) == (0, 0)


def test_a_number_that_is_a_name_and_an_id_is_nobodys(learner):
    get_user_model().objects.create_user(str(learner.pk))
    with pytest.raises(CommandError, match="Two users"):
        run(str(learner.pk))


@pytest.mark.parametrize("person", ["nobody", "0", "9" * 18, "9" * 40, "LEARNER", "learner ", ""])
def test_nobody(learner, person):
    with pytest.raises(CommandError, match="No user"):
        run(person)
