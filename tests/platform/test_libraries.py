"""Content libraries of the platform: what authors save there, and what the platform refuses."""

from __future__ import annotations

import json
from inspect import signature

import pytest
from common.djangoapps.student.tests.factories import UserFactory
from django.db import connection
from django.test.utils import override_settings
from opaque_keys.edx.locator import LibraryLocatorV2, LibraryUsageLocatorV2
from openedx.core.djangoapps.content_libraries import api
from openedx.core.djangoapps.xblock.api import get_component_from_usage_key, load_block
from organizations.tests.factories import OrganizationFactory
from xmodule.modulestore.tests.django_utils import SharedModuleStoreTestCase

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.exceptions import InvalidRequest, NotAllowed, ProcessorError
from tests.fakes.provider import Say
from tests.platform import factories
from tests.processors.openedx.quiz import question

pytestmark = [pytest.mark.studio, pytest.mark.django_db]

OLX = '<problem display_name="Ü"><p>Why?</p></problem>'
LONG_TITLE = f'<problem display_name="{"x" * 600}"/>'


@pytest.fixture
def author():
    return UserFactory.create()


@pytest.fixture
def library(author):
    metadata = api.create_library(org=OrganizationFactory.create(short_name="Org"), slug="light", title="Light")
    api.set_library_user_permissions(metadata.key, author, api.AccessLevel.AUTHOR_LEVEL)
    return metadata.key


@pytest.fixture
def create(author, library):
    def create(block_id="q1", *, block_type="problem", olx=None, in_library=library):
        text = olx or (OLX if block_type == "problem" else f"<{block_type}/>")
        return get_platform().create_library_block(author, in_library, block_type, block_id, text)

    return create


@pytest.mark.parametrize(
    ("level", "may"),
    [
        pytest.param(api.AccessLevel.ADMIN_LEVEL, True, id="admin"),
        pytest.param(api.AccessLevel.AUTHOR_LEVEL, True, id="author"),
        pytest.param(api.AccessLevel.READ_LEVEL, False, id="reader"),
        pytest.param(None, False, id="not in the library's team"),
    ],
)
def test_who_may_edit(library, level, may):
    user = UserFactory.create()
    if level:
        api.set_library_user_permissions(library, user, level)
    if may:
        get_platform().require_library_editor(user, library)
    else:
        with pytest.raises(NotAllowed):
            get_platform().require_library_editor(user, library)


def test_site_staff_may_edit_but_not_while_inactive_or_where_there_is_no_library(library):
    get_platform().require_library_editor(UserFactory.create(is_staff=True), library)
    for user, key in (
        (UserFactory.create(is_staff=True, is_active=False), library),
        (UserFactory.create(is_staff=True), LibraryLocatorV2("Org", "nowhere")),
    ):
        with pytest.raises(NotAllowed):
            get_platform().require_library_editor(user, key)


def test_a_block_is_written_collected_published_and_deleted(create, author, library):
    platform = get_platform()
    usage_key = create()
    block = api.get_library_block(usage_key, include_collections=True)
    assert (block.display_name, block.has_unpublished_changes) == ("Ü", True)
    key = platform.save_in_collection(author, library, [usage_key], key=None, title="Quiz: Licht & Luft")
    assert platform.save_in_collection(author, library, [create("q2")], key=key, title="ignored") == key
    collections = api.get_library_block(usage_key, include_collections=True).collections
    assert list(collections) == [{"key": key, "title": "Quiz: Licht & Luft"}]
    platform.publish_library(author, library)
    block = api.get_library_block(usage_key)
    assert (block.has_unpublished_changes, block.published_by) == (False, author.username)
    platform.delete_library_block(author, usage_key)
    with pytest.raises(api.ContentLibraryBlockNotFound):
        api.get_library_block(usage_key)


@pytest.mark.parametrize(
    ("block_id", "block_type", "olx", "message"),
    [
        pytest.param("q1", "no-such-type", None, "not installed", id="a type that is not installed"),
        pytest.param("q1", "vertical", None, "blocks of this type", id="a block with children"),
        pytest.param("q1", "problem", "<html/>", "not that of a block of this type", id="another root tag"),
        pytest.param("q1", "problem", "<problem>", "not well-formed", id="broken"),
        pytest.param("q1", "problem", '<?xml version="1.0" encoding="utf-8"?><problem/>', "not accept", id="encoding"),
        pytest.param(
            "q1",
            "problem",
            LONG_TITLE,
            "not accept",
            id="a long title",
            marks=pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite bounds no texts"),
        ),
        pytest.param("a.b", "problem", None, "not an id", id="an id with a point"),
        pytest.param("a b", "problem", None, "not an id", id="an id with a space"),
    ],
)
def test_what_a_library_refuses_is_said_and_leaves_nothing(create, library, block_id, block_type, olx, message):
    with pytest.raises(ProcessorError, match=message):
        create(block_id, block_type=block_type, olx=olx)
    assert list(api.get_library_components(library)) == []


def test_a_block_that_is_there_already(create, author):
    usage_key = create()
    with pytest.raises(ProcessorError, match="already has a block"):
        create()
    get_platform().delete_library_block(author, usage_key)
    with pytest.raises(ProcessorError, match="already has a block"):
        create()  # the platform keeps what was deleted, for restoring it


def test_a_full_library(create):
    with override_settings(MAX_BLOCKS_PER_CONTENT_LIBRARY=1):
        create()
        with pytest.raises(ProcessorError, match="is full"):
            create("q2")


def test_what_is_not_there(create, author, library):
    platform, nowhere = get_platform(), LibraryLocatorV2("Org", "nowhere")
    unknown = LibraryUsageLocatorV2(library, "problem", "unknown")

    def collect(usage_key, *, key=None, library=library):
        platform.save_in_collection(author, library, [usage_key], key=key, title="Quiz")

    usage_key = create()
    for error, message, ask in (
        (ProcessorError, "no such library", lambda: create(in_library=nowhere)),
        (ProcessorError, "no such library", lambda: platform.publish_library(author, nowhere)),
        (ProcessorError, "no such library", lambda: collect(usage_key, library=nowhere)),
        (ProcessorError, "no such library", lambda: collect(usage_key, library=nowhere, key="quiz")),
        (ProcessorError, "no such block", lambda: platform.delete_library_block(author, unknown)),
        (ProcessorError, "no such block", lambda: collect(unknown)),
        (InvalidRequest, "no such collection", lambda: collect(usage_key, key="nowhere")),
    ):
        with pytest.raises(error, match=message):
            ask()
    assert list(api.get_library_block(usage_key, include_collections=True).collections) == []


def test_the_author_is_in_the_history(create, author):
    """Of a block; of its content too, in releases whose ``set_library_block_olx`` takes an author."""
    versions = get_component_from_usage_key(create()).versioning.versions.order_by(
        "publishable_entity_version__version_num"
    )
    names_author = "created_by" in signature(api.set_library_block_olx).parameters
    authors = [version.publishable_entity_version.created_by for version in versions]
    assert authors == [author, author if names_author else None]


class SavingTest(SharedModuleStoreTestCase):
    """Questions that a model wrote, saved by the endpoint that the author's widget calls."""

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

    def save(self, *questions, **fields):
        return self.api.run({"library_id": str(self.library), "questions": list(questions), **fields}, "save")

    def titles(self):
        return sorted(each.versioning.draft.title for each in api.get_library_components(self.library))

    def test_written_reviewed_and_saved(self):
        kinds = ("multiplechoiceresponse", "choiceresponse", "optionresponse", "numericalresponse", "stringresponse")
        questions = [question(kind, display_name=kind) for kind in kinds]
        with factories.model_server() as model:
            model.always(Say(json.dumps({"collection_name": "Light", "questions": questions})))
            written = self.api.run({"num_questions": 5})
        assert "Plants take up light." in str(model.requests)
        slots = written.json()["response"]["question_slots"]
        answer = self.save(*(slot["versions"][slot["selected"]] for slot in slots), publish=True).json()
        assert (answer["saved"], answer["failed"], answer["published"]) == (5, [], True)
        url, _slash, key = answer["response"].rpartition("/")
        assert url == f"authoring/library/{self.library}/collection"
        assert self.titles() == sorted(kinds)
        for component in api.get_library_components(self.library):
            usage_key = api.library_component_usage_key(self.library, component)
            saved = api.get_library_block(usage_key, include_collections=True)
            assert list(saved.collections) == [{"key": key, "title": "Light"}]
            assert not saved.has_unpublished_changes
            page = load_block(usage_key, self.author).render("student_view", {}).content
            assert 'data-problem-total-possible="1"' in page, "the platform's problem block reads it"

    def test_refusals_say_why(self):
        for fields, status, code, message in (
            ({"collection_key": "nowhere"}, 400, "validation_error", "no such collection"),
            ({"library_id": "lib:Org:nowhere"}, 403, "permission_denied", "permission"),
        ):
            response = self.save(question(), **fields)
            error = response.json()["error"]
            assert (response.status_code, error["code"]) == (status, code)
            assert message in str(error["message"])
        assert self.titles() == []

    def test_a_library_that_is_full_after_one(self):
        with override_settings(MAX_BLOCKS_PER_CONTENT_LIBRARY=1):
            answer = self.save(question(display_name="First"), question(display_name="Second")).json()
        assert (answer["saved"], self.titles()) == (1, ["First"])
        assert answer["failed"] == [{"index": 1, "message": "The library is full."}]

    def test_course_staff_who_may_not_edit_the_library(self):
        other = factories.staff(self.course.id)
        self.api = factories.Api(other, self.unit.location)
        assert self.save(question()).status_code == 403
        api.set_library_user_permissions(self.library, other, api.AccessLevel.READ_LEVEL)
        assert self.save(question()).status_code == 403
