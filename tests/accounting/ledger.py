"""Rows for the ledger, as runs leave them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from openedx_ai_extensions.models import AIWorkflowRun
from tests.conftest import COURSE_ID


def a_run(*, days_ago: float = 0, **fields: Any) -> AIWorkflowRun:
    """A run that went well, unless these fields say otherwise."""
    usual = {
        "run_id": "a-run", "created_at": timezone.now() - timedelta(days=days_ago), "course_id": COURSE_ID,
        "profile_slug": "summary", "action": "run", "service_variant": "lms", "provider": "default",
        "model": "openai/gpt-fake", "calls": 1, "prompt_tokens": 90, "completion_tokens": 10, "cost_micros": 2_500_000,
        "first_token_ms": 400, "duration_ms": 2000, "outcome": "completed",
    }  # fmt: skip
    return AIWorkflowRun.objects.create(**{**usual, **fields})
