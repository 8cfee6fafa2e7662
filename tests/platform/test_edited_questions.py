"""Questions that authors edited, saved to a library of the platform, loaded from it and graded there."""

from __future__ import annotations

import json

import pytest
from openedx.core.djangoapps.content_libraries import api
from openedx.core.djangoapps.xblock.api import get_block_draft_olx, load_block
from organizations.tests.factories import OrganizationFactory
from xmodule.modulestore.tests.django_utils import SharedModuleStoreTestCase

from tests.fakes.provider import Say
from tests.platform import factories
from tests.processors.openedx.quiz import question
from tests.react import editor
from tests.react.keys import camel_cased, snake_cased

pytestmark = [pytest.mark.studio, pytest.mark.django_db]
# How each type is answered right and wrong.
ANSWERS = {
    "multiplechoiceresponse": ("choice_0", "choice_1"),
    "choiceresponse": (["choice_0", "choice_2"], ["choice_0"]),
    "optionresponse": ("chlorophyll", "water"),
    "numericalresponse": ("3.5", "4"),
    "stringresponse": ("chlorophyll", "water"),
}


def as_it_is(made):
    return made


def as_fields(made):
    """Edited as JSON: the editor writes the OLX anew."""
    edited = {**made, "explanation": "a < b & <c>", "questionHtml": "<p>Mine &amp; <em>own</em>?</p>"}
    return {**edited, "olx": {"category": "problem", "data": editor.write(edited)}}


def as_olx(made):
    """Edited as OLX: the fields are what the editor reads of it."""
    data = made["olx"]["data"].replace("Because.", "Because <strong>I</strong> say so.")
    return {**editor.read(data), "olx": {"category": "problem", "data": data}}


class EditedQuestionsTest(SharedModuleStoreTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.course = factories.make_course()
        cls.unit = factories.add_unit(cls.course)
        factories.add_html(cls.unit, "Plants take up light.")

    def setUp(self):
        super().setUp()
        self.author = factories.staff(self.course.id)
        organization = OrganizationFactory.create(short_name="Org")
        self.library = api.create_library(org=organization, slug="light", title="Light").key
        api.set_library_user_permissions(self.library, self.author, api.AccessLevel.AUTHOR_LEVEL)
        factories.make_scope(self.course.id, base_filepath="base/quiz.json5")
        self.api = factories.Api(self.author, self.unit.location)

    def test_all_types_edited_in_every_way(self):
        with factories.model_server() as model:
            written = [question(kind, display_name=kind) for kind in ANSWERS]
            model.always(Say(json.dumps({"collection_name": "Light", "questions": written})))
            slots = self.api.run({"num_questions": 5}).json()["response"]["question_slots"]
        made = [camel_cased(slot["versions"][0]) for slot in slots]
        edited = [snake_cased(edit(each)) for edit in (as_it_is, as_fields, as_olx) for each in made]
        answer = self.api.run({"library_id": str(self.library), "questions": edited, "publish": True}, "save").json()
        assert (answer["saved"], answer["failed"], answer["published"]) == (15, [], True)
        sent = sorted(each["olx"]["data"] for each in edited)
        found = []
        for component in api.get_library_components(self.library):
            usage_key = api.library_component_usage_key(self.library, component)
            for place, grade in enumerate(("correct", "incorrect")):
                block = load_block(usage_key, self.author)
                block.runtime._active_block = block  # in September 2025 only views say so, and the block asks
                [response] = block.lcp.responders.values()
                assert block.display_name == response.xml.tag
                assert self.graded(block, ANSWERS[response.xml.tag][place]) == grade
            found.append(get_block_draft_olx(usage_key))
        for olx in sent:
            body = olx.partition(">")[2]
            assert any(body in stored for stored in found), olx

    @staticmethod
    def graded(block, answer):
        """By the problem itself: a submission would go on to grades of a course, and this is a library."""
        ((answer_id,),) = block.lcp.get_answer_ids()
        return block.lcp.grade_answers({answer_id: answer}).get_correctness(answer_id)
