"""A change that one process commits is seen by the others: at their next request, or within the bound on staleness."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection, transaction

from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from tests.conftest import SLOT
from tests.settings import REDIS_URL
from tests.waiting import eventually

REPO = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("resolver_process.py")
CACHES = "django.core.cache.backends."

pytestmark = pytest.mark.django_db(transaction=True)


def redis_answers():
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", 6379)) == 0


@pytest.fixture(
    params=[
        pytest.param("files", id="a cache of files"),
        pytest.param(
            "redis",
            id="Redis",
            marks=[
                pytest.mark.redis,
                pytest.mark.skipif(not redis_answers(), reason="no Redis answers at 127.0.0.1:6379"),
            ],
        ),
    ]
)
def shared_cache(request, tmp_path, settings):
    """A cache that all processes share, as this process configures it."""
    backends = {
        "files": {"BACKEND": f"{CACHES}filebased.FileBasedCache", "LOCATION": str(tmp_path / "cache")},
        "redis": {"BACKEND": f"{CACHES}redis.RedisCache", "LOCATION": REDIS_URL},
    }
    config = {**backends[request.param], "KEY_PREFIX": "lms"}
    settings.CACHES = {"default": config}
    return config


@pytest.fixture
def start():
    """Start another process on this test's database; returns a function that resolves there."""
    children = []

    def start_process(**changed_settings):
        names = ("ENGINE", "NAME", "USER", "HOST", "OPTIONS")
        database = {name: connection.settings_dict[name] for name in names}
        changed = {"DATABASES": {"default": {**database, "NAME": str(database["NAME"])}}, **changed_settings}
        child = subprocess.Popen(
            [sys.executable, SCRIPT, json.dumps(changed)],
            cwd=REPO,
            env={**os.environ, "PYTHONPATH": str(REPO)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        children.append(child)

        def resolve():
            child.stdin.write(f"{SLOT}\n")
            child.stdin.flush()
            slug, queries = child.stdout.readline().split()
            return slug, int(queries)

        return resolve

    yield start_process
    for child in children:
        child.communicate()


def disable():
    scope = AIWorkflowScope.objects.get(service_variant="lms")
    scope.enabled = False
    scope.save()


# One after the other, in the order of a site's day: each row is what happens and what the other process then finds.
CHANGES = [
    ("a prompt is saved", lambda: PromptTemplate.objects.create(slug="new", body="Be kind."), "summary"),
    ("a profile is updated", lambda: AIWorkflowProfile.objects.update(slug="changed"), "changed"),
    ("a scope is saved", disable, "-"),
    ("scopes are updated", lambda: AIWorkflowScope.objects.update(enabled=True), "changed"),
    ("profiles are deleted", lambda: AIWorkflowProfile.objects.all().delete(), "-"),
]


def test_the_next_request_of_another_process_sees_a_change(shared_cache, start, make_scope):
    make_scope(course_id=None)
    resolve = start(CACHES={"default": shared_cache})
    assert [resolve(), resolve()] == [("summary", 1), ("summary", 0)]
    for what, change, seen in CHANGES:
        change()
        assert [resolve(), resolve()] == [(seen, 1), (seen, 0)], what


def test_studio_and_lms_share_the_news_though_not_their_keys(shared_cache, start, make_scope):
    make_scope(course_id=None, service_variant="cms")
    resolve = start(CACHES={"default": {**shared_cache, "KEY_PREFIX": "cms"}}, SERVICE_VARIANT="cms")
    assert [resolve(), resolve()] == [("summary", 1), ("summary", 0)]
    AIWorkflowScope.objects.update(enabled=False)
    assert [resolve(), resolve()] == [("-", 1), ("-", 0)]


def test_another_process_sees_a_change_when_it_is_committed(shared_cache, start, make_scope):
    make_scope(course_id=None)
    resolve = start(CACHES={"default": shared_cache})
    assert resolve() == ("summary", 1)
    with transaction.atomic():
        disable()
        assert resolve()[0] == "summary"
        transaction.set_rollback(True)
    assert resolve()[0] == "summary", "rolled back"
    with transaction.atomic():
        disable()
        assert resolve()[0] == "summary"
    assert resolve() == ("-", 1)


def test_without_a_shared_cache_a_change_is_seen_within_the_bound(start, make_scope):
    make_scope(course_id=None)
    own_memory = {"default": {"BACKEND": f"{CACHES}locmem.LocMemCache"}}
    resolve = start(CACHES=own_memory, AI_EXTENSIONS_RESOLUTION_MAX_AGE=1)
    assert resolve()[0] == "summary"
    disable()
    eventually(lambda: resolve()[0] == "-")
