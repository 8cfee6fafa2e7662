from __future__ import annotations

import os

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from tests.api.conftest import Api

# 64 on SQLite, which has one writer at a time, take half a minute: PARALLEL_CLIENTS=64 asks for them.
THREADS = int(os.environ.get("PARALLEL_CLIENTS") or (8 if connection.vendor == "sqlite" else 64))


@pytest.fixture
def as_learner(learner) -> Api:
    return Api(learner)


@pytest.fixture
def as_author(author) -> Api:
    return Api(author)


@pytest.fixture
def clients(settings, db) -> list[Api]:
    (course,) = settings.AI_EXTENSIONS_STANDALONE["COURSES"]
    settings.AI_EXTENSIONS_STANDALONE = {"COURSES": [{**course, "learners": "*"}]}
    people = get_user_model().objects
    return [Api(people.create_user(f"learner{number}")) for number in range(THREADS)]


@pytest.fixture
def priced_scope(make_scope, provider, settings):
    """A workflow whose runs take 100 tokens and a hundredth of the site's currency."""
    settings.AI_EXTENSIONS["default"]["PRICES"] = {"INPUT": 100, "OUTPUT": 100}
    settings.AI_EXTENSIONS_EXPECTED_ANSWER_TOKENS = 10
    provider.reply("Green.", usage={"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100})
    return make_scope(patch={"processor_config": {"LLMProcessor": {"stream": False}}})
