from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from openedx_ai_extensions.workflows import unmatched_slots
from tests.conftest import COURSE_ID, SLOT, UNIT_ID


@pytest.fixture
def command() -> Callable[..., str]:
    """Run a command; what it wrote to its output."""

    def run(name: str, *args: str, stderr: Any = None) -> str:
        out = StringIO()
        call_command(name, *args, stdout=out, stderr=stderr or StringIO())
        return out.getvalue()

    return run


@pytest.fixture
def explain(command) -> Callable[..., dict]:
    """``ai_explain`` about the usual place; None leaves an option out."""

    def ask(**options: str | None) -> dict:
        here = {"course": COURSE_ID, "location": UNIT_ID, "slot": SLOT, "service": "lms", **options}
        args = [f"--{name}={value}" for name, value in here.items() if value is not None]
        return json.loads(command("ai_explain", "--format=json", *args))

    return ask


@pytest.fixture(autouse=True)
def _nothing_remembered():
    unmatched_slots.forget()
    yield
    unmatched_slots.forget()
