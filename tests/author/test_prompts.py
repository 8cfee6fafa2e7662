"""The prompt of a workflow: changed by those who teach everybody that it is for, and by two at once without a loss."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry

from openedx_ai_extensions.models import PromptTemplate
from tests.api.conftest import Api
from tests.author.conftest import Pages, words
from tests.conftest import SLOT
from tests.rights.course import MAIN, OTHER, key

BODY = "You are a tutor.\nBe kind."


@pytest.fixture
def prompt(db):
    return PromptTemplate.objects.create(slug="tutor", body=BODY)


@pytest.fixture
def use(in_main, prompt):
    def make(slug="first", **fields):
        config = {"processor_config": {"LLMProcessor": {"prompt_template": "tutor", "stream": False}}}
        return in_main(slug, patch=config, **fields)

    return make


def form_of(page):
    return {"body": page.value("body"), "version": page.value("version")}


def test_a_new_wording_is_in_the_next_answer(as_author, author, learner, prompt, use, provider):
    use()
    page = as_author.get()
    [link] = page.find("//article//a[.='tutor']/@href")
    assert link == as_author.url("prompt", pk=prompt.pk)
    page = as_author.get("prompt", pk=prompt.pk)
    assert page.value("body") == BODY
    # Browsers send the line breaks of a mail.
    page = as_author.post("prompt", {**form_of(page), "body": "Answer in verse.\r\nAlways."}, pk=prompt.pk)
    assert words(page, "//*[@role='status']") == ["The prompt is saved. It applies from the next answer."]
    context = {"courseId": str(MAIN), "locationId": str(key("vertical/open")), "uiSlotSelectorId": SLOT}
    assert Api(learner).run("Why?", context=context).status_code == 200
    assert provider.requests[-1]["messages"][0]["content"].startswith("Answer in verse.\nAlways.")
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id, entry.change_message) == (author, str(prompt.pk), "Changed by course staff.")


@pytest.mark.parametrize(
    ("person", "elsewhere", "allowed"),
    [
        pytest.param("author", [], True, id="used here only"),
        pytest.param("author", [{"course_id": OTHER}], False, id="used in another course"),
        pytest.param("author", [{"course_id": None}], False, id="used in every course"),
        pytest.param("author", [{"course_id": OTHER, "enabled": False}], True, id="disabled there"),
        pytest.param("site staff", [{"course_id": None}], True, id="site staff, always"),
        pytest.param("admin", [{"course_id": OTHER}], True, id="an admin, always"),
    ],
)
def test_who_may_change_it(people, courses, prompt, use, person, elsewhere, allowed):
    """The rule of ``PATCH prompts/``."""
    use()
    for number, fields in enumerate(elsewhere):
        use(f"other-{number}", **fields)
    pages = Pages(people[person])
    page = pages.get("prompt", pk=prompt.pk)
    assert bool(page.find("//textarea[@name='body']")) is allowed
    version = page.value("version") if allowed else "x"
    status = pages.post("prompt", {"body": "New.", "version": version}, pk=prompt.pk).status
    prompt.refresh_from_db()
    assert (status, prompt.body) == ((200, "New.") if allowed else (403, BODY))
    patched = Api(people[person]).patch_prompt("tutor", {"body": "Newer."}, {"courseId": str(MAIN)})
    assert patched.status_code == (200 if allowed else 403)


def test_who_else_uses_it(people, courses, use, prompt):
    use()
    use("second", course_id=OTHER)
    use("third", course_id=None, slot="elsewhere")
    facts = "//dl[@class='facts']/div/dd"
    page = Pages(people["author"]).get("prompt", pk=prompt.pk)
    assert words(page, facts)[:2] == ["first, third", "Every course of the site.1 course that you do not teach."]
    assert str(OTHER) not in page.source
    assert str(OTHER) in Pages(people["admin"]).get("prompt", pk=prompt.pk).text


def test_a_prompt_of_another_course_is_not_here(people, courses, use, prompt):
    use(course_id=OTHER)
    for person in ("author", "admin"):
        assert Pages(people[person]).get("prompt", pk=prompt.pk).status == 404


def test_the_second_of_two_editors_is_told(people, courses, prompt, use):
    use()
    first, second = Pages(people["author"]), Pages(people["site staff"])
    forms = [form_of(pages.get("prompt", pk=prompt.pk)) for pages in (first, second)]
    assert first.post("prompt", {**forms[0], "body": "The first's."}, pk=prompt.pk).status == 200
    page = second.post("prompt", {**forms[1], "body": "The second's."}, pk=prompt.pk)
    assert page.status == 409
    assert "This prompt was changed" in words(page, "//*[@role='alert']")[0]
    assert (page.value("body"), words(page, "//div[@class='words']")) == ("The second's.", ["The first's."])
    prompt.refresh_from_db()
    assert prompt.body == "The first's."
    # Told, and meant.
    assert second.post("prompt", form_of(page), pk=prompt.pk).status == 200
    prompt.refresh_from_db()
    assert prompt.body == "The second's."


def test_a_prompt_that_cannot_be_sent_is_refused_with_its_place(as_author, prompt, use):
    use()
    form = form_of(as_author.get("prompt", pk=prompt.pk))
    page = as_author.post("prompt", {**form, "body": "Be kind.\r\nRing \x07."}, pk=prompt.pk)
    (said,) = words(page, "//*[@role='alert']")
    assert page.status == 400
    assert said.startswith("Line 2, column 6: U+0007")
    prompt.refresh_from_db()
    assert prompt.body == BODY


@pytest.mark.parametrize("body", ["", " \n ", None])
def test_a_blank_prompt_is_refused(as_author, prompt, use, body):
    use()
    form = form_of(as_author.get("prompt", pk=prompt.pk))
    page = as_author.post("prompt", {**form, "body": body} if body is not None else {"version": "x"}, pk=prompt.pk)
    assert (page.status, words(page, "//*[@role='alert']")) == (400, ["The text must not be blank."])
    prompt.refresh_from_db()
    assert prompt.body == BODY
