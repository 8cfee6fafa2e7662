"""Finding a prompt by the names that profiles use, and keeping it usable."""

import uuid

import pytest
from django.core.exceptions import ValidationError

from openedx_ai_extensions.core import cache
from openedx_ai_extensions.models import PromptTemplate

IDENTIFIER = "3b1f0b7e-0d7c-4a53-9a52-0f6a0c1d2e3f"


@pytest.fixture
def prompt(db):
    return PromptTemplate.objects.create(slug="kind-tutor", body="Be kind.", uuid=uuid.UUID(IDENTIFIER))


FOUND = [
    pytest.param("kind-tutor", id="slug"),
    pytest.param(IDENTIFIER, id="UUID"),
    pytest.param(IDENTIFIER.replace("-", ""), id="UUID without dashes"),
    pytest.param(IDENTIFIER.upper(), id="UUID in capitals"),
    pytest.param(f"{{{IDENTIFIER}}}", id="UUID in braces"),
    pytest.param(f"urn:uuid:{IDENTIFIER}", id="UUID as a URN"),
]
UNKNOWN = [
    pytest.param("", id="nothing"),
    pytest.param("other", id="another slug"),
    pytest.param("Kind-Tutor", id="the slug in other letters"),
    pytest.param("kind-tutor ", id="the slug and a space"),
    pytest.param("kind", id="part of the slug"),
    pytest.param(IDENTIFIER[:-1] + "0", id="another UUID"),
    pytest.param(IDENTIFIER[:8], id="part of the UUID"),
]


@pytest.mark.parametrize("reference", FOUND)
def test_a_prompt_is_found(prompt, reference, django_assert_num_queries):
    assert PromptTemplate.objects.lookup(reference) == prompt
    with django_assert_num_queries(1), PromptTemplate.objects.preloaded():
        assert PromptTemplate.objects.lookup(reference) == prompt
    assert prompt.is_used_in({"LLMProcessor": {"prompt_template": reference}})


@pytest.mark.parametrize("reference", UNKNOWN)
def test_any_other_name_finds_nothing(prompt, reference):
    assert PromptTemplate.objects.lookup(reference) is None
    with PromptTemplate.objects.preloaded():
        assert PromptTemplate.objects.lookup(reference) is None
    assert not prompt.is_used_in({"LLMProcessor": {"prompt_template": reference}})


def test_a_slug_that_looks_like_a_uuid_is_found_too(prompt):
    slug = "0123456789abcdef0123456789abcdef"
    twin = PromptTemplate.objects.create(slug=slug, body="Be brief.")
    assert PromptTemplate.objects.lookup(slug) == twin
    with PromptTemplate.objects.preloaded():
        assert PromptTemplate.objects.lookup(slug) == twin


@pytest.mark.parametrize(
    "config",
    [{}, {"LLMProcessor": None}, {"LLMProcessor": []}, {"LLMProcessor": {}}, {"LLMProcessor": {"prompt_template": 1}}],
    ids=["no processor", "null", "a list", "no reference", "a number"],
)
def test_odd_configurations_use_no_prompt(prompt, config):
    assert not prompt.is_used_in(config)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "field"),
    [
        pytest.param({"body": ""}, "body", id="no text"),
        pytest.param({"body": " \n\t"}, "body", id="a blank text"),
        pytest.param({"slug": ""}, "slug", id="no slug"),
        pytest.param({"slug": "two words"}, "slug", id="a slug with a space"),
        pytest.param({"slug": "a" * 101}, "slug", id="a slug too long"),
    ],
)
def test_what_cannot_be_used_is_refused(values, field):
    with pytest.raises(ValidationError) as caught:
        PromptTemplate.objects.create(**{"slug": "p", "body": "Be kind.", **values})
    assert list(caught.value.message_dict) == [field]
    assert not PromptTemplate.objects.exists()


def test_a_slug_is_taken_once(prompt):
    with pytest.raises(ValidationError, match="already exists"):
        PromptTemplate.objects.create(slug=prompt.slug, body="Be brief.")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda prompt: prompt.save(), id="save"),
        pytest.param(lambda prompt: prompt.delete(), id="delete"),
        pytest.param(lambda _: PromptTemplate.objects.update(body="Be brief."), id="queryset.update"),
        pytest.param(lambda prompt: PromptTemplate.objects.bulk_update([prompt], ["body"]), id="bulk_update"),
        pytest.param(
            lambda _: PromptTemplate.objects.bulk_create([PromptTemplate(slug="new", body="Be brief.")]),
            id="bulk_create",
        ),
        pytest.param(lambda _: PromptTemplate.objects.all().delete(), id="queryset.delete"),
    ],
)
def test_every_process_learns_of_a_change(prompt, change):
    before = cache.current_version()
    assert before == cache.current_version()
    change(prompt)
    after = cache.current_version()
    assert None not in (before, after)
    assert after != before
