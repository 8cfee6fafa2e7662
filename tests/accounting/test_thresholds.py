"""Whoever pays is told at 80 and at 100 %: once, whichever process sees it."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from openedx_ai_extensions.ledger import counters
from openedx_ai_extensions.ledger.signals import limit_reached
from tests.accounting.test_limits import allowed


@pytest.fixture
def told():
    heard = []

    def hear(*, limit, kind, threshold, used, **_kwargs):
        heard.append((str(limit.per), str(kind), threshold, used))

    limit_reached.connect(hear)
    yield heard
    limit_reached.disconnect(hear)


@pytest.mark.parametrize("per", ["site", "provider", "course", "profile"])
def test_it_is_told_once_at_each_threshold(as_learner, priced_scope, settings, told, caplog, per):
    settings.AI_EXTENSIONS_LIMITS = [{"per": per, "period": "month", "requests": 5}]
    assert allowed(as_learner, 8) == 5
    assert told == [(per, "requests", 80, 4), (per, "requests", 100, 5)]
    assert caplog.text.count("limit.reached") == 2


def test_another_process_that_has_no_cache_tells_nothing_again(as_learner, priced_scope, settings, told):
    settings.AI_EXTENSIONS_LIMITS = [{"per": "site", "period": "month", "requests": 2}]
    assert allowed(as_learner) == 2
    counters._notified.clear()
    cache.clear()
    assert allowed(as_learner) == 0
    assert len(told) == 2


def test_a_receiver_that_fails_stops_nobody(as_learner, priced_scope, settings, caplog):
    def fail(**_kwargs):
        raise RuntimeError

    limit_reached.connect(fail)
    try:
        settings.AI_EXTENSIONS_LIMITS = [{"per": "site", "period": "month", "requests": 1}]
        assert allowed(as_learner) == 1
    finally:
        limit_reached.disconnect(fail)
    assert "Error calling" in caplog.text


@pytest.mark.parametrize("limit", [{"per": "person", "requests": 1}, {"per": "site", "requests": 0}], ids=str)
def test_what_is_not_told(as_learner, priced_scope, settings, told, limit):
    settings.AI_EXTENSIONS_LIMITS = [{"period": "month", **limit}]
    allowed(as_learner)
    assert told == []
