"""The admin pages of prompt templates."""

import json

import pytest

from openedx_ai_extensions.models import PromptTemplate
from openedx_ai_extensions.workflows.template_utils import load_template

MODEL = "prompttemplate"


@pytest.fixture
def prompt(db):
    return PromptTemplate.objects.create(slug="kind-tutor", body="Be kind.\n  Always.")


def test_a_prompt_is_added_changed_and_deleted(admin):
    page = admin.post(MODEL, "add", {"slug": "kind-tutor", "body": "Be kind."})
    prompt = PromptTemplate.objects.get(slug="kind-tutor")
    assert "was added successfully" in page.messages[-1]

    admin.post(MODEL, "change", {"slug": "kind-tutor", "body": "Be brief.", "uuid": "0" * 32}, pk=prompt.pk)
    changed = PromptTemplate.objects.get()
    assert changed.body == "Be brief."
    assert changed.uuid == prompt.uuid

    admin.post(MODEL, "delete", {"post": "yes"}, pk=prompt.pk)
    assert not PromptTemplate.objects.exists()


@pytest.mark.parametrize("body", ["", "   \n "], ids=["empty", "only spaces"])
def test_a_blank_prompt_is_refused(admin, body):
    assert admin.post(MODEL, "add", {"slug": "kind-tutor", "body": body}).errors("body")
    assert not PromptTemplate.objects.exists()


def test_a_slug_is_used_once(admin, prompt):
    assert admin.post(MODEL, "add", {"slug": prompt.slug, "body": "Other."}).errors("slug")


def test_the_page_shows_the_text_as_it_is_and_the_uuid_to_copy(admin, prompt):
    page = admin.get(MODEL, "change", pk=prompt.pk)
    assert page.value("body") == "Be kind.\n  Always."
    assert page.shown("uuid") == str(prompt.uuid)
    assert page.find("//*[@name='uuid']") == []


def test_the_add_page_shows_no_uuid_that_will_not_be_the_prompts(admin):
    page = admin.get(MODEL, "add")
    assert page.status == 200
    assert page.field("uuid") == []


@pytest.mark.parametrize(
    "spelling",
    [
        lambda prompt: prompt.slug,
        lambda prompt: str(prompt.uuid),
        lambda prompt: str(prompt.uuid).upper(),
        lambda prompt: prompt.uuid.hex,
    ],
    ids=["by slug", "by UUID", "by UUID in capitals", "by UUID without hyphens"],
)
def test_the_profiles_that_use_a_prompt_are_linked(admin, prompt, make_scope, spelling):
    patch = {"processor_config": {"LLMProcessor": {"prompt_template": spelling(prompt)}}}
    profile = make_scope(slug="uses-it", patch=patch).profile
    make_scope(slug="does-not", slot="other")
    (link,) = admin.get(MODEL, "change", pk=prompt.pk).field("used_by", "//a")
    assert link.text == "uses-it"
    assert link.get("href").endswith(f"/aiworkflowprofile/{profile.pk}/change/")


def test_a_profile_whose_template_became_nonsense_does_not_hide_the_page(admin, prompt, make_scope, site_templates):
    template = site_templates / "changed.json5"
    template.write_text(json.dumps(load_template("base/summary.json5")), "utf-8")
    make_scope(base_filepath="changed.json5")
    template.write_text("{processor_config: {LLMProcessor: 'nonsense'}}", "utf-8")
    assert admin.get(MODEL, "change", pk=prompt.pk).shown("used_by") == "Not used by any profile."
    assert admin.get("aiworkflowprofile").column("status")[0].startswith("Broken: ")


def test_a_broken_profile_does_not_hide_the_page(admin, prompt, broken_profile):
    assert admin.get(MODEL, "change", pk=prompt.pk).shown("used_by") == "Not used by any profile."


@pytest.mark.parametrize("query", ["tutor", "always", "UUID"])
def test_prompts_are_found_by_slug_text_and_uuid(admin, prompt, query):
    PromptTemplate.objects.create(slug="other", body="Something else.")
    found = admin.get(MODEL, q=str(prompt.uuid) if query == "UUID" else query)
    assert found.column("slug") == ["kind-tutor"]
