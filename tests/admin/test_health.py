"""The health page and ``manage.py ai_health``: what is in order, what is not, and what to do."""

from __future__ import annotations

import json
import threading
from io import StringIO

import pytest
from celery import Celery, current_app
from celery.contrib.testing.worker import start_worker
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db.migrations.recorder import MigrationRecorder

from openedx_ai_extensions.console.health import HealthLevel, report
from openedx_ai_extensions.core import long_waits
from openedx_ai_extensions.models import AIPause, AIWorkflowRun
from tests.accounting.ledger import a_run
from tests.conftest import SECRET
from tests.fakes.provider import FakeProvider
from tests.waiting import PATIENCE, eventually

pytestmark = pytest.mark.django_db

HEALTH = "aihealth"


def section(name):
    return next(each for each in report() if each.name == name)


def said(name) -> str:
    texts = (f"{each.level} {each.subject}: {each.text} {each.advice}".strip() for each in section(name).findings)
    return " ".join(texts)


def of_page(page, name: str) -> str:
    return " ".join(page.find(f"//section[@aria-labelledby='health-{name}']")[0].text_content().split())


@pytest.fixture
def prices(settings, provider) -> FakeProvider:
    settings.AI_EXTENSIONS = {"default": {**settings.AI_EXTENSIONS["default"], "PRICES": {"INPUT": 1, "OUTPUT": 2}}}
    return provider


@pytest.fixture
def broker():
    """Make tasks go to a broker at this address, by a Celery of its own: one keeps its first connections."""
    before = current_app._get_current_object()

    def use(url: str) -> Celery:
        app = Celery("tests-health", broker=url)
        app.set_current()
        return app

    yield use
    before.set_current()


def test_a_page_with_every_part_in_words(admin, prices, make_scope):
    make_scope()
    page = admin.get(HEALTH)
    assert [title.text for title in page.find("//section/h2")] == [str(each.title) for each in report()]
    assert "It has a key. It is available. Its price is from the site's settings." in of_page(page, "providers")
    assert SECRET not in page.source
    assert all(badge.text_content().strip() for badge in page.find("//*[contains(@class, 'aiext-badge')]"))
    assert prices.requests == []


def test_who_may_look(staff_with, prices):
    assert staff_with("view_health").get(HEALTH).status == 200


@pytest.mark.parametrize("permission", ["view_aiworkflowprofile", "try_workflow"])
def test_who_may_not_look(staff_with, prices, permission):
    clerk = staff_with(permission)
    assert clerk.get(HEALTH).status == 403
    assert clerk.post(HEALTH, "changelist", {"provider": "default"}).status == 403
    assert prices.requests == []


def test_a_ping_is_paid_for_and_in_the_ledger(admin, admin_user, prices):
    page = admin.post(HEALTH, "changelist", {"provider": "default"})
    sign = page.find("//*[@role='status']")[0].text_content()
    assert "OK: default." in sign
    assert "It answered within" in sign
    run = AIWorkflowRun.objects.get()
    assert (run.action, run.user, run.outcome, run.prompt_tokens) == ("health", admin_user, "completed", 12)


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ({"fail": (401,)}, "It rejects the key. (invalid_api_key) Check API_KEY in its entry."),
        ({"fail": (429,)}, "It is busy, or its own limit is used up."),
        ({"fail": (500,)}, "It cannot be reached, or did not answer in time."),
        ({"provider": "other"}, "There is no such provider."),
        ({"limit": 0}, "It was not called: "),
        ({"enabled": False}, "It was not called: AI is switched off at the moment."),
    ],
    ids=["the key", "busy", "broken", "unknown", "a limit", "switched off"],
)
def test_a_ping_that_fails(admin, prices, settings, trouble, words):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    settings.AI_EXTENSIONS_ENABLED = trouble.get("enabled", True)
    if "limit" in trouble:
        settings.AI_EXTENSIONS_LIMITS = [{"per": "site", "period": "day", "requests": 0}]
    if "fail" in trouble:
        prices.fail(*trouble["fail"])
    page = admin.post(HEALTH, "changelist", {"provider": trouble.get("provider", "default")})
    assert words in " ".join(page.find("//*[@role='status']")[0].text_content().split())
    assert SECRET not in page.source


def test_a_provider_that_is_left_alone(admin, prices, settings):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    settings.AI_EXTENSIONS_CIRCUIT_FAILURES = 2
    prices.fail(500)
    admin.post(HEALTH, "changelist", {"provider": "default"})
    assert "1 of its calls failed recently." in said("providers")
    settings.AI_EXTENSIONS_CIRCUIT_FAILURES = 1  # with more, one person's failures say nothing of the provider
    admin.post(HEALTH, "changelist", {"provider": "default"})
    assert "it is not called for" in said("providers")
    page = admin.post(HEALTH, "changelist", {"provider": "default"})
    assert "it is not called, because" in page.find("//*[@role='status']")[0].text_content()
    assert len(prices.requests) == 2


@pytest.mark.parametrize(
    ("name", "value", "part", "words"),
    [
        ("AI_EXTENSIONS", {}, "providers", "warning Providers: None is configured."),
        ("AI_EXTENSIONS", {"a": {"MODEL": "openai/b", "PRICES": {"INPUT": 1, "OUTPUT": 1}}}, "providers",
         "note a: Model openai/b. It has no key."),
        ("AI_EXTENSIONS", {"a": {"MODEL": "openai/b", "CAPABILITIES": {"flies": True}}}, "providers",
         "error a: Its entry is not valid."),
        ("AI_EXTENSIONS_ENABLED", False, "switches", "warning Switch: AI is switched off for the whole site"),
        ("AI_EXTENSIONS_ENABLED", "no", "switches", "error Settings: AI_EXTENSIONS_ENABLED must be True or False"),
        ("WORKFLOW_TEMPLATE_DIRS", ["/nowhere"], "templates", "warning /nowhere: It is missing or cannot be read."),
        ("AI_EXTENSIONS_BACKEND", "no.such.Backend", "platform", "error Backend: no.such.Backend cannot be imported."),
        ("AI_EXTENSIONS_BACKEND", "openedx_ai_extensions.edxapp.platform.OpenEdXPlatform", "platform",
         "warning Imports: This platform does not have: "),
        ("CACHES", {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}, "cache",
         "error Default cache: What is written to it cannot be read back."),
        ("CACHES", {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}, "cache",
         "warning Default cache: Each process has its own cache."),
        ("CACHES", {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache",
                                "LOCATION": "redis://127.0.0.1:1"}}, "cache",
         "error Default cache: It cannot be reached"),
        ("XAPI_EVENTS_ENABLED", False, "events", "xAPI is switched off"),
    ],
)  # fmt: skip
def test_what_is_not_as_it_should_be(settings, prices, name, value, part, words):
    if "Dummy" in str(value) or "Redis" in str(value):
        cache.clear()
    setattr(settings, name, value)
    assert words in said(part)


def test_events_that_nobody_lets_through(settings, prices):
    settings.XAPI_EVENTS_ENABLED = True
    settings.EVENT_TRACKING_BACKENDS_ALLOWED_XAPI_EVENTS = []
    settings.EVENT_TRACKING_BACKENDS = {}
    words = said("events")
    assert "error Allow-list: It blocks these events: openedx.ai.workflow.completed" in words
    assert "warning Backends: No backend in EVENT_TRACKING_BACKENDS makes xAPI statements." in words
    assert "warning Routers: None is enabled." in words


def test_pauses_that_hold(prices, make_scope):
    AIPause.objects.create(profile=make_scope().profile)
    assert "AI is paused now: for one profile." in said("switches")
    AIPause.objects.create()
    assert section("switches").level is HealthLevel.WARNING


def test_templates_that_never_load(site_templates, prices, broken_profile):
    (site_templates / "bad.json5").write_text("{", "utf-8")
    (site_templates / "base").mkdir()
    (site_templates / "base" / "summary.json5").write_text('{schema_version: "1.0"}', "utf-8")
    words = said("templates")
    assert "error bad.json5: " in words
    assert "base/summary.json5: It is never loaded" in words
    assert "error Profile broken: " in words


def test_the_ledger(prices, settings):
    assert "It is empty." in said("database")
    a_run(days_ago=500)
    a_run(days_ago=1, outcome="lost")
    words = said("database")
    assert "warning Ledger: The oldest run is from" in words
    assert "1 run of the last seven days was never settled" in words
    AIWorkflowRun.objects.all().delete()
    MigrationRecorder.Migration.objects.filter(app="openedx_ai_extensions", name="0007_try_workflow").delete()
    assert "error Migrations: These migrations are not applied: 0007_try_workflow." in said("database")


@pytest.mark.parametrize(
    ("address", "seconds", "words"),
    [
        ("memory://", PATIENCE, "ok Broker: It can be reached. error Worker: No worker answered"),
        ("redis://127.0.0.1:1/0", PATIENCE, "error Broker: The broker cannot be reached"),
        ("amqp://192.0.2.1//", 0.5, "error Broker: The broker cannot be reached"),
    ],
)
def test_a_broker_and_its_workers(broker, prices, address, seconds, words, monkeypatch):
    monkeypatch.setattr("openedx_ai_extensions.console.health.services.BROKER_SECONDS", seconds)
    monkeypatch.setattr("openedx_ai_extensions.console.health.services.PING_SECONDS", 0.1)
    broker(address)
    assert words in said("worker")


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_answers(broker, prices):
    # The worker sets the level of all logging, and leaves it so.
    with start_worker(broker("memory://"), perform_ping_check=False, pool="solo", loglevel="WARNING"):
        eventually(lambda: "ok Worker: These workers answer: " in said("worker"))


def test_nothing_hangs():
    release = threading.Event()
    with pytest.raises(long_waits.TookTooLong):
        long_waits.in_thread(release.wait, 0.05, "health")
    release.set()


def test_the_command(prices):
    call_command("ai_health", stdout=(out := StringIO()))
    assert "[ok] Migrations: All are applied." in out.getvalue()
    call_command("ai_health", format="json", ask=True, stdout=(out := StringIO()))
    found = {each["name"]: each for each in json.loads(out.getvalue())}
    assert found["signs_of_life"]["level"] == "ok"
    assert SECRET not in out.getvalue()
    prices.fail(401)
    with pytest.raises(CommandError, match="health: error"):
        call_command("ai_health", ask=True, stdout=StringIO())
    with pytest.raises(CommandError, match="health: warning"):
        call_command("ai_health", fail_level="warning", stdout=StringIO())
