"""What happens to a library behind the interface: in the platform, and in the standalone backend's folders."""

from __future__ import annotations

import json
from importlib import import_module

import pytest
from django.core.exceptions import ValidationError
from django.db import DataError
from opaque_keys.edx.locator import LibraryUsageLocatorV2

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.exceptions import ProcessorError
from tests.edxapp.contract.sample import LIBRARY
from tests.edxapp.contract.test_libraries import OLX, create
from tests.edxapp.exports import AUTHOR


@pytest.fixture
def library(world, db):
    return world.libraries[LIBRARY]


@pytest.fixture
def folder(standalone, tmp_path):
    return tmp_path / "lib"


def test_the_platform_keeps_the_olx(studio, library):
    usage_key = create(studio)
    assert library.blocks == {usage_key: OLX}
    studio.publish_library(AUTHOR, LIBRARY)
    assert library.published == {usage_key: OLX}


@pytest.mark.parametrize("refusal", [ValueError, ValidationError, DataError])
def test_content_that_the_platform_refuses_leaves_no_block(studio, library, refusal):
    library.refuses = refusal
    with pytest.raises(ProcessorError, match="does not accept the content"):
        create(studio)
    assert library.blocks == {}


def test_the_platform_keeps_what_was_deleted(studio, library):
    """For restoring it: its id stays taken, and deleting it again changes nothing."""
    usage_key = create(studio)
    for _time in range(2):
        studio.delete_library_block(AUTHOR, usage_key)
    with pytest.raises(ProcessorError, match="already has a block"):
        create(studio)


@pytest.mark.parametrize(("is_newer", "authors"), [(False, [AUTHOR.pk, None]), (True, [AUTHOR.pk, AUTHOR.pk])])
def test_the_author_is_in_the_librarys_history(studio, library, monkeypatch, is_newer, authors):
    """Older releases name no author for a block's content, only for the block."""
    if is_newer:
        api = import_module("openedx.core.djangoapps.content_libraries.api")
        monkeypatch.setattr(api, "set_library_block_olx", api.newer_set_library_block_olx)
    assert library.authors[create(studio)] == authors


@pytest.mark.parametrize(
    ("limit", "block_type", "message"),
    [
        pytest.param(0, "problem", "is full", id="full"),
        pytest.param(1, "vertical", "does not take blocks of this type", id="blocks with children"),
        pytest.param(1, "video", "not installed", id="a type that is not installed"),
    ],
)
def test_libraries_that_take_no_more(studio, library, limit, block_type, message):
    library.limit = limit
    with pytest.raises(ProcessorError, match=message):
        create(studio, block_type=block_type, olx=f"<{block_type}/>")


def test_the_platforms_collections(studio, library):
    blocks = [create(studio, name) for name in ("q1", "q2")]
    key = studio.save_in_collection(AUTHOR, LIBRARY, blocks[:1], key=None, title="Ein Quiz über Pflanzen!")
    assert key.startswith("ein-quiz-uber-pflanzen-")
    studio.save_in_collection(AUTHOR, LIBRARY, blocks, key=key, title="")
    assert library.collections == {key: ("Ein Quiz über Pflanzen!", blocks)}


def test_a_title_without_letters_for_a_key(studio, library):
    assert studio.save_in_collection(AUTHOR, LIBRARY, [], key=None, title="植物").startswith("collection-")


def test_folders_keep_nothing_that_was_deleted(standalone):
    usage_key = create(standalone)
    standalone.delete_library_block(AUTHOR, usage_key)
    for ask in (
        lambda: standalone.delete_library_block(AUTHOR, usage_key),
        lambda: standalone.save_in_collection(AUTHOR, LIBRARY, [usage_key], key=None, title="Quiz"),
    ):
        with pytest.raises(ProcessorError, match="no such block"):
            ask()
    assert create(standalone) == usage_key


def test_folders(standalone, folder):
    usage_key = create(standalone)
    key = standalone.save_in_collection(AUTHOR, LIBRARY, [usage_key, usage_key], key=None, title="Quiz")
    assert (folder / "blocks/problem/q1.xml").read_text(encoding="utf-8") == OLX
    assert json.loads((folder / f"collections/{key}.json").read_text()) == {
        "title": "Quiz",
        "blocks": [str(usage_key)],
    }
    standalone.publish_library(AUTHOR, LIBRARY)
    assert (folder / "published/problem/q1.xml").read_text(encoding="utf-8") == OLX
    standalone.delete_library_block(AUTHOR, usage_key)
    assert (folder / "published/problem/q1.xml").exists()
    standalone.publish_library(AUTHOR, LIBRARY)
    assert sorted(path.name for path in folder.rglob("*") if path.is_file()) == [f"{key}.json"]


def test_nothing_half_written_stays(standalone, folder):
    create(standalone)
    with pytest.raises(ProcessorError, match="already has"):
        create(standalone)
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["q1.xml"]


@pytest.mark.parametrize("block_id", ["..", ".", ".hidden", "x" * 300])
def test_ids_lead_nowhere_else(standalone, folder, block_id):
    with pytest.raises(ProcessorError):
        create(standalone, block_id)
    assert not [path for path in folder.parent.rglob("*") if path.is_file()]


def test_a_folder_that_cannot_be_written(standalone, folder):
    folder.write_text("a file")
    for ask in (
        lambda: create(standalone),
        lambda: standalone.publish_library(AUTHOR, LIBRARY),
        lambda: standalone.save_in_collection(AUTHOR, LIBRARY, [], key=None, title="Quiz"),
        lambda: standalone.delete_library_block(AUTHOR, LibraryUsageLocatorV2(LIBRARY, "problem", "q1")),
    ):
        with pytest.raises(ProcessorError):
            ask()


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        pytest.param({}, None, id="none"),
        pytest.param({"lib:O:s": {"path": "/x", "editors": ["a"]}}, None, id="good"),
        pytest.param({"lib:O:s": {"path": "/x"}}, None, id="without editors"),
        pytest.param([], "must be a dictionary", id="a list"),
        pytest.param({"O:s": {"path": "/x"}}, "must be a library key", id="no key"),
        pytest.param({"course-v1:O+s+r": {"path": "/x"}}, "must be a library key", id="a course"),
        pytest.param({5: {"path": "/x"}}, "must be a library key", id="a number"),
        pytest.param({"lib:O:s": "/x"}, "must be a dictionary with a path", id="only a path"),
        pytest.param({"lib:O:s": {"path": "/x", "editors": "a"}}, "a list of usernames", id="one editor"),
    ],
)
def test_the_setting(value, problem):
    found = conf.SETTINGS["AI_EXTENSIONS_STANDALONE.LIBRARIES"].problem(value)
    assert (problem is None and found is None) or problem in found
