"""The ledger, the provider's own account and the learning record say the same, to the token."""

from __future__ import annotations

import json
import os
import random

from django.db.models import F, Sum

from openedx_ai_extensions.ledger import counters
from openedx_ai_extensions.models import AIUsageTotal, AIWorkflowRun
from tests.api.conftest import HERE, text_of
from tests.fakes.provider import Break, CallTools, Fail, Say, ToolCall

RUNS = int(os.environ.get("AGREEMENT_RUNS", "80"))
CARDS = json.dumps({"cards": [{"question": "Why green?", "answer": "Chlorophyll."}]})
STREAMED = {"processor_config": {"LLMProcessor": {"stream": True, "enabled_tools": ["roll_dice"]}}}
WHOLE = {"processor_config": {"LLMProcessor": {"stream": False, "enabled_tools": ["roll_dice"]}}}
SLOTS = {
    "streamed": ("base/summary.json5", STREAMED),
    "whole": ("base/summary.json5", WHOLE),
    "chat": ("base/chat.json5", STREAMED),
    "cards": ("base/flashcards.json5", {}),
}


def test_they_agree(as_learner, make_scope, provider, settings, tracked):
    settings.AI_EXTENSIONS_MAX_RETRIES = 0
    settings.AI_EXTENSIONS_CIRCUIT_FAILURES = 0
    settings.AI_EXTENSIONS_CIRCUIT_FAILURES = 0
    for slot, (template, patch) in SLOTS.items():
        make_scope(slug=slot, slot=slot, base_filepath=template, patch=patch)
    chance = random.Random(20)
    for number in range(RUNS):
        slot = chance.choice(list(SLOTS))
        usage = {"prompt_tokens": chance.randrange(1, 10**6), "completion_tokens": chance.randrange(1, 10**4)}
        usage["total_tokens"] = sum(usage.values())
        provider.reply(["Gr", "een."], usage=usage)
        said: list[object] = [Say(CARDS if slot == "cards" else ["Gr", "een."])]
        if slot != "cards":
            said[:0] = [CallTools(ToolCall("roll_dice"))] * chance.choice([0, 0, 1, 3])
            said[-1] = chance.choice([said[-1]] * 4 + [Fail(500), Break(after_chunks=1)])
        provider.then(*said)
        asked = {"num_cards": 1} if slot == "cards" else f"Question {number}?"
        response = as_learner.run(asked, context={**HERE, "uiSlotSelectorId": slot})
        if response.streaming:
            text_of(response)

    rows = AIWorkflowRun.objects
    assert rows.count() == RUNS
    tokens = Sum(F("prompt_tokens") + F("completion_tokens"))
    completed = rows.filter(outcome="completed")
    recorded = [event["data"]["usage"]["total_tokens"] for event in tracked]
    assert len(recorded) == completed.count()
    assert sum(recorded) == completed.aggregate(all=tokens)["all"]
    # What a provider took for an answer that broke off it never says: we count it ourselves, and say so.
    estimated = rows.filter(is_estimated=True)
    assert set(estimated.values_list("outcome", flat=True)) <= {"failed"}
    billed = sum(usage["total_tokens"] for usage in provider.billed)
    paid_before_a_break = billed - rows.exclude(pk__in=estimated).aggregate(all=tokens)["all"]
    assert 0 <= paid_before_a_break <= estimated.aggregate(all=tokens)["all"]
    assert not rows.filter(outcome="completed", is_estimated=True).exists()

    while counters.count():
        pass
    assert AIUsageTotal.objects.get(key="site|month").tokens == rows.aggregate(all=tokens)["all"]
    assert AIUsageTotal.objects.get(key="site|month").requests == RUNS
