"""Which moderators look at what: the site says, a profile says otherwise, and what cannot be used is said."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.conftest import error_of, text_of
from tests.moderation.conftest import BAD, JSON

WORDS = {"words": {"KIND": "words", "WORDS": [BAD]}, "others": {"KIND": "words", "WORDS": ["plonk"]}}
SAMPLE = "tests.moderation.samples.NoQuestions"


def moderated(**moderation) -> dict:
    return {"processor_config": {"LLMProcessor": {"moderation": moderation}}}


@pytest.mark.parametrize(
    ("site", "profile", "passes"),
    [
        ({}, {}, {BAD, "plonk"}),
        ({"before": ["words"]}, {}, {"plonk"}),
        ({"before": ["words"]}, {"before": ["others"]}, {BAD}),
        ({"before": ["words"]}, {"before": []}, {BAD, "plonk"}),
        ({"before": ["words"]}, {"after": ["others"]}, {"plonk"}),
        ({}, {"before": ["words", "others"]}, set()),
    ],
    ids=["nobody looks", "the site", "the profile instead", "nobody, says the profile", "each direction by itself",
         "two"],
)  # fmt: skip
def test_a_profile_takes_the_place_of_the_site(as_learner, make_scope, provider, settings, site, profile, passes):
    settings.AI_EXTENSIONS_MODERATORS = WORDS
    settings.AI_EXTENSIONS_MODERATION = site
    make_scope(patch=moderated(**profile))
    passed = {word for word in (BAD, "plonk") if as_learner.run(word, headers=JSON).status_code == 200}
    assert passed == passes


def test_a_moderator_of_the_sites_own(as_learner, make_scope, provider, settings):
    settings.AI_EXTENSIONS_MODERATORS = {"own": {"KIND": SAMPLE, "MARK": "??"}}
    settings.AI_EXTENSIONS_MODERATION = {"before": ["own"], "after": ["own"]}
    make_scope()
    response = as_learner.run("Why??")
    assert error_of(response) == (403, "permission_denied")
    assert response.json()["error"]["message"] == "Call 0800 123, they can help."
    provider.reply("Because. Do you see? " * 9 + "Do you??")
    assert "0800" in text_of(as_learner.run("Why?"))


@pytest.mark.parametrize(
    ("moderation", "path"),
    [
        ({"before": ["nobody"]}, "moderation.before[0]"),
        ({"after": ["words", "nobody"]}, "moderation.after[1]"),
        ({"during": ["words"]}, "moderation.during"),
        ({"before": "words"}, "moderation.before"),
        (["words"], "moderation"),
    ],
    ids=["unknown", "second unknown", "no direction", "no list", "no object"],
)
def test_a_profile_that_names_nobody_is_refused(make_scope, settings, moderation, path):
    settings.AI_EXTENSIONS_MODERATORS = WORDS
    with pytest.raises(ValidationError) as caught:
        make_scope(patch={"processor_config": {"LLMProcessor": {"moderation": moderation}}})
    assert f"$.processor_config.LLMProcessor.{path}:" in str(caught.value)


@pytest.mark.parametrize(
    ("moderators", "moderation", "said"),
    [
        ({"words": {"WORDS": [BAD]}}, {}, "each with a KIND"),
        (WORDS, {"during": ["words"]}, "Do you mean"),
        (WORDS, {"before": "words"}, "must be a list of texts"),
        (WORDS, {"before": ["nobody"]}, "no such moderator"),
        ({"words": {"KIND": "wrods"}}, {}, "provider, words"),
        ({"words": {"KIND": "words", "FILE": "/no/such/file"}}, {}, "FILE cannot be read"),
        ({"own": {"KIND": "decimal.Decimal"}}, {}, "not a subclass of Moderator"),
        ({"far": {"KIND": "provider", "PROVIDER": "nowhere"}}, {}, "PROVIDER must be"),
        ({"far": {"KIND": "provider", "PROVIDER": "default", "TIMEOUT": 0}}, {}, "TIMEOUT must be"),
        ({"far": {"KIND": "provider", "PROVIDER": "default", "ON_FAILURE": "?"}}, {}, "ON_FAILURE must be"),
    ],
)
def test_manage_py_check_says_what_cannot_be_used(db, provider, settings, moderators, moderation, said):
    settings.AI_EXTENSIONS_MODERATORS = moderators
    settings.AI_EXTENSIONS_MODERATION = moderation
    with pytest.raises(SystemCheckError, match=said) as caught:
        call_command("check", tag=["ai_extensions"])
    assert BAD not in str(caught.value)


@pytest.mark.parametrize("entry", [{"KIND": "words", "FILE": "/gone"}, {"KIND": "no.such.Kind"}], ids=["file", "kind"])
def test_nothing_passes_a_moderator_that_cannot_be_used(as_learner, make_scope, provider, settings, entry):
    settings.AI_EXTENSIONS_MODERATORS = {"broken": entry}
    settings.AI_EXTENSIONS_MODERATION = {"before": ["broken"]}
    make_scope()
    assert error_of(as_learner.run("Why?")) == (500, "llm_config_error")
    assert not provider.requests


@pytest.mark.parametrize("value", [None, ["words"], "words"], ids=repr)
def test_nothing_passes_where_moderation_is_no_dictionary(as_learner, make_scope, provider, settings, value):
    make_scope()
    settings.AI_EXTENSIONS_MODERATION = value
    assert error_of(as_learner.run("Why?")) == (500, "internal_error")
    assert not provider.requests


def test_looking_at_words_takes_no_query(as_learner, make_scope, provider, settings):
    make_scope()
    as_learner.run("Why?", headers=JSON)
    with CaptureQueriesContext(connection) as without:
        as_learner.run("Why?", headers=JSON)
    settings.AI_EXTENSIONS_MODERATORS = WORDS
    settings.AI_EXTENSIONS_MODERATION = {"before": ["words"], "after": ["words"]}
    as_learner.run("Why?", headers=JSON)
    with CaptureQueriesContext(connection) as watched:
        as_learner.run("Why?", headers=JSON)
    assert len(watched) == len(without)
