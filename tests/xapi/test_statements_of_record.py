"""The statements by which the Aspects dashboard's SQL is tested (``make tutor``) are the ones that we really make.

After a change that is meant: ``WRITE_STATEMENTS=1 python -m pytest tests/xapi/test_statements_of_record.py``.
"""

from __future__ import annotations

import json
import os

import pytest
from django.conf import settings as site

FOLDER = site.REPO / "tutor" / "tests" / "statements"


@pytest.mark.parametrize("word", ["completed", "initialized", "interacted"])
def test_a_statement_is_as_kept(lrs, emit, word):
    emit(f"openedx.ai.workflow.{word}", prompt_template_slug="kind-tutor")
    (statement,) = lrs.statements
    # Another each time, or with each release of event routing
    statement["context"]["extensions"].clear()
    statement["id"] = "00000000-0000-4000-8000-000000000001"
    statement["timestamp"] = "2026-11-21T12:00:00.000000+00:00"
    statement["actor"]["account"]["name"] = "00000000-0000-4000-8000-000000000002"
    kept = FOLDER / f"{word}.json"
    if os.environ.get("WRITE_STATEMENTS"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(json.dumps(statement, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    assert statement == json.loads(kept.read_text(encoding="utf-8"))
