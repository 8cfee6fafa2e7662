"""Fixtures that every part of the suite shares."""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from django.utils import translation
from eventtracking import tracker
from eventtracking.locator import ThreadLocalContextLocator
from eventtracking.tracker import Tracker
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from xdist.scheduler import LoadScopeScheduling

from openedx_ai_extensions.ledger import run
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope
from openedx_ai_extensions.policy import pauses
from openedx_ai_extensions.processors.llm.provider import library
from tests.browser import browser, close_browser_before
from tests.fakes.provider import FakeProvider
from tests.settings import REPO

__all__ = ["browser"]  # a fixture

# A machine that is busy with other things says nothing of the code.
hypothesis_settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("busy")

COURSE_ID = "course-v1:OpenedX+AIX+demo"
UNIT_ID = "block-v1:OpenedX+AIX+demo+type@vertical+block@unit_sunlight"
SLOT = "unit-summary"
SECRET = "sk-test-secret"


def from_learner(text: str) -> dict[str, str]:
    """The message in which a model gets a learner's words."""
    return {"role": "user", "content": f"<learner_message>\n{text}\n</learner_message>"}


# Where a test says as much on one Python, Django and database as on all of them, and takes its time.
ONCE = (
    "tests/accounting/test_agreement.py",
    "tests/accounting/test_cache.py",
    "tests/accounting/test_doors.py",
    "tests/accounting/test_fallback",
    "tests/admin/test_health.py",
    "tests/admin/test_model_view.py",
    "tests/admin/test_profile_page.py",
    "tests/admin/test_try_it.py",
    "tests/api/test_fuzz.py",
    "tests/api/test_openapi.py",
    "tests/attacks/",
    "tests/author/",
    "tests/demo/",
    "tests/docs/",
    "tests/edxapp/",
    "tests/events/",
    "tests/fakes/",
    "tests/management/test_explain.py",
    "tests/moderation/",
    "tests/processors/",
    "tests/providers/",
    "tests/react/",
    "tests/public_extension/",
    "tests/published_templates/",
    "tests/retirement/test_signal.py",
    "tests/rights/",
    "tests/rules/",
    "tests/sample_extension/",
    "tests/streaming_service/",
    "tests/test_licences.py",
    "tests/test_packaging.py",
    "tests/test_requirements.py",
    "tests/test_site_templates.py",
    "tests/test_translations.py",
    "tests/tools/",
    "tests/upgrade/test_components.py",
    "tests/workflows/async_runs/",
    "tests/workflows/conversations/test_constant_cost.py",
    "tests/workflows/conversations/test_faults.py",
    "tests/workflows/conversations/test_leaving.py",
    "tests/workflows/conversations/test_mcp.py",
    "tests/workflows/conversations/test_prompt_safety.py",
    "tests/workflows/conversations/test_provider_threads.py",
    "tests/workflows/conversations/test_tools.py",
    "tests/workflows/educator/",
    "tests/workflows/flashcards/",
    "tests/workflows/orchestrators/",
    "tests/workflows/test_json5.py",
    "tests/workflows/test_merge.py",
    "tests/workflows/test_paths.py",
    "tests/workflows/test_portable_values.py",
    "tests/workflows/test_redaction.py",
    "tests/workflows/test_schema.py",
    "tests/workflows/test_templates.py",
    "tests/xapi/test_allow_list.py",
)


# They start servers and browsers: first, so that nobody waits for them in the end.
SLOW = (
    "tests/e2e/",
    "tests/widget/",
    "tests/demo/",
    "tests/streaming_service/",
    "tests/sample_extension/",
    "tests/api/test_fuzz.py",
    "tests/workflows/async_runs/test_worker.py",
    "tests/events/test_event_bus.py",
)
# What takes long to start, such as a server, a browser or an import, is started once for all tests that one of these
# finds. (The marks that pytest-xdist has for this are lost with pytest 9.2.)
TOGETHER = (
    # Each of these opens dozens of connections: more than one at a time would be more than MariaDB takes.
    "tests/(accounting/test_(parallel|two_servers)|workflows/conversations/test_concurrency)",
    "tests/api/test_fuzz",
    "tests/demo/test_background",
    "tests/demo/test_command_line",
    "tests/e2e/",
    "tests/(processors/openedx/test_(author|problem)_olx|react/|workflows/educator/test_formulas)",
    "tests/sample_extension/",
    r"tests/(admin|author|widget)/test_(\w*browser|accessible|foreign_templates|forms|leaving|parts)\.py",
    "tests/workflows/async_runs/test_worker",
)


class Schedule(LoadScopeScheduling):
    """Each test goes to the first process that is free, but those that belong together to one process."""

    def _split_scope(self, nodeid: str) -> str:
        return next((pattern for pattern in TOGETHER if re.match(pattern, nodeid)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Schedule:
    return Schedule(config, log)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Tests that are not wanted need not be imported either."""
    if "not once" not in config.option.markexpr or not collection_path.is_relative_to(REPO):
        return None
    path = collection_path.relative_to(REPO).as_posix() + ("/" if collection_path.is_dir() else "")
    return path.startswith(ONCE) or None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(SLOW))
    for item in items:
        if item.nodeid.startswith(ONCE):
            item.add_marker("once")


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    close_browser_before(nextitem)


@receiver(connection_created)
def _do_not_wait_for_the_disk(connection: BaseDatabaseWrapper, **_kwargs: Any) -> None:
    """A test's database need not outlive the machine."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous = OFF")


@pytest.fixture(scope="session", autouse=True)
def _quick_processes() -> Iterator[None]:
    """The processes that tests start do without the platform's own blocks, as tests.settings explains."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(REPO / "tests" / "without_capa"), prepend=os.pathsep)
        yield


@pytest.fixture(autouse=True)
def _clean_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def _no_work_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is done every few seconds or every so many runs would sometimes fall into a test that counts queries."""
    monkeypatch.setattr(pauses, "MAX_CACHE_SECONDS", 1e9)
    monkeypatch.setattr(run, "RUNS_PER_COUNT", 10**9)


@pytest.fixture(autouse=True)
def _own_language() -> Iterator[None]:
    """A request in another language leaves its thread in that language."""
    yield
    translation.deactivate()


@pytest.fixture
def learner(db):
    return get_user_model().objects.create_user("learner", "learner@example.com", "learner")


@pytest.fixture
def author(db):
    return get_user_model().objects.create_user("author", "author@example.com", "author")


@pytest.fixture
def stranger(db):
    return get_user_model().objects.create_user("stranger", "stranger@example.com", "stranger")


@pytest.fixture
def admin_user(db):
    return get_user_model().objects.create_superuser("admin", "admin@example.com", "admin")


@pytest.fixture(scope="session")
def _litellm() -> None:
    """Importing it takes seconds, which are no part of any test's time."""
    library.warm_up()


@pytest.fixture
def provider(_litellm, settings) -> Iterator[FakeProvider]:
    with FakeProvider() as fake:
        settings.AI_EXTENSIONS = {
            "default": {
                "MODEL": "openai/gpt-fake",
                "API_KEY": SECRET,
                "API_BASE": fake.base_url,
                "PROCESSOR": "Example University",
            },
        }
        yield fake


@pytest.fixture
def make_scope(db) -> Callable[..., AIWorkflowScope]:
    """Create a profile (base/summary.json5 plus a patch) and the scope that serves it.

    With ``model_greets``, the model greets in a chat whose template has a greeting.
    """

    def make(
        *,
        patch: dict[str, Any] | str | None = None,
        slug: str = "summary",
        base_filepath: str = "base/summary.json5",
        slot: str = SLOT,
        course_id: str | None = COURSE_ID,
        model_greets: bool = True,
        **fields: Any,
    ) -> AIWorkflowScope:
        if model_greets and base_filepath == "base/chat.json5" and not isinstance(patch, str):
            patch = config = copy.deepcopy(patch or {})
            for name in ("actuator_config", "UIComponents", "response", "config"):
                config = config.setdefault(name, {})
            config.setdefault("greeting", "model")
        content_patch = patch if isinstance(patch, str) else json.dumps(patch or {})
        profile = AIWorkflowProfile.objects.create(
            slug=slug, description=slug, base_filepath=base_filepath, content_patch=content_patch
        )
        return AIWorkflowScope.objects.create(
            profile=profile,
            course_id=course_id,
            ui_slot_selector_id=slot,
            service_variant=fields.pop("service_variant", "lms"),
            enabled=fields.pop("enabled", True),
            **fields,
        )

    return make


class RecordingBackend:
    """Keeps what is tracked."""

    def __init__(self) -> None:
        self.events: list[dict] = []

    def send(self, event: dict) -> None:
        self.events.append(event)


@pytest.fixture
def tracked() -> Iterator[list[dict]]:
    """The events emitted through the real tracker."""
    backend = RecordingBackend()
    before = tracker.get_tracker()
    # A context for each thread, as Django's own tracker has.
    tracker.register_tracker(Tracker({"recording": backend}, ThreadLocalContextLocator()))
    yield backend.events
    tracker.register_tracker(before)
