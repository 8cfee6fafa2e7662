"""Writing to content libraries, whichever backend does it."""

from __future__ import annotations

import pytest
from opaque_keys.edx.locator import LibraryUsageLocatorV2

from openedx_ai_extensions.exceptions import InvalidRequest, NotAllowed, ProcessorError
from tests.edxapp.contract.sample import LIBRARY, NO_LIBRARY
from tests.edxapp.exports import ANONYMOUS, AUTHOR, INACTIVE_STAFF, LEARNER, SITE_STAFF

OLX = '<problem display_name="Ü"><p>Why?</p></problem>'
UNKNOWN = LibraryUsageLocatorV2(LIBRARY, "problem", "unknown")


def create(platform, block_id="q1", *, block_type="problem", olx=OLX, library=LIBRARY):
    return platform.create_library_block(AUTHOR, library, block_type, block_id, olx)


@pytest.mark.parametrize(
    ("user", "library", "may"),
    [
        pytest.param(AUTHOR, LIBRARY, True, id="an editor"),
        pytest.param(SITE_STAFF, LIBRARY, True, id="site staff"),
        pytest.param(LEARNER, LIBRARY, False, id="not an editor"),
        pytest.param(ANONYMOUS, LIBRARY, False, id="nobody"),
        pytest.param(INACTIVE_STAFF, LIBRARY, False, id="inactive staff"),
        pytest.param(AUTHOR, NO_LIBRARY, False, id="no such library"),
        pytest.param(SITE_STAFF, NO_LIBRARY, False, id="no such library, to site staff"),
    ],
)
def test_editors(authoring, user, library, may):
    if may:
        authoring.require_library_editor(user, library)
    else:
        with pytest.raises(NotAllowed, match=str(NotAllowed())):
            authoring.require_library_editor(user, library)


def test_a_block_is_made_once(authoring):
    usage_key = create(authoring)
    assert str(usage_key) == "lb:OpenedX:plants:problem:q1"
    with pytest.raises(ProcessorError, match="already has a block with this id"):
        create(authoring)
    authoring.delete_library_block(AUTHOR, usage_key)
    with pytest.raises(ProcessorError, match="no such block"):
        authoring.delete_library_block(AUTHOR, UNKNOWN)


@pytest.mark.parametrize(
    ("olx", "message"),
    [
        pytest.param("<problem><p>", "not well-formed", id="broken"),
        pytest.param("", "not well-formed", id="empty"),
        pytest.param("<!DOCTYPE a [<!ENTITY b 'c'>]><problem>&b;</problem>", "not well-formed", id="entities"),
        pytest.param("<html>Why?</html>", "not that of a block of this type", id="another type"),
    ],
)
def test_refused_content_leaves_nothing_behind(authoring, olx, message):
    with pytest.raises(ProcessorError, match=message):
        create(authoring, olx=olx)
    assert create(authoring)


@pytest.mark.parametrize("block_id", ["", "a b", "a/b", "a:b", "../../x", "a\0b", "a.b"])
def test_ids_that_no_key_can_carry(authoring, block_id):
    with pytest.raises(ProcessorError, match="not an id for a block"):
        create(authoring, block_id)


def test_an_unknown_library(authoring):
    usage_key = create(authoring)
    for ask in (
        lambda: create(authoring, library=NO_LIBRARY),
        lambda: authoring.publish_library(AUTHOR, NO_LIBRARY),
        lambda: authoring.save_in_collection(AUTHOR, NO_LIBRARY, [], key=None, title="Quiz"),
        lambda: authoring.save_in_collection(AUTHOR, NO_LIBRARY, [], key="quiz", title="Quiz"),
        lambda: authoring.save_in_collection(AUTHOR, NO_LIBRARY, [usage_key], key=None, title="Quiz"),
    ):
        with pytest.raises(ProcessorError, match="no such library"):
            ask()


def test_collections(authoring):
    blocks = [create(authoring, name) for name in ("q1", "q2", "q3")]
    key = authoring.save_in_collection(AUTHOR, LIBRARY, blocks[:1], key=None, title="Quiz: plants & light")
    assert authoring.save_in_collection(AUTHOR, LIBRARY, blocks, key=key, title="ignored") == key
    other = authoring.save_in_collection(AUTHOR, LIBRARY, blocks[1:], key=None, title="Quiz: plants & light")
    assert other != key


@pytest.mark.parametrize("key", ["nowhere", "", "../blocks/problem/q1", "\0", "\u5149" * 200])
def test_an_unknown_collection(authoring, key):
    usage_key = create(authoring)
    with pytest.raises(InvalidRequest, match="no such collection"):
        authoring.save_in_collection(AUTHOR, LIBRARY, [usage_key], key=key, title="Quiz")


def test_a_collection_takes_no_block_that_is_not_there(authoring):
    for key in (None, authoring.save_in_collection(AUTHOR, LIBRARY, [], key=None, title="Quiz")):
        with pytest.raises(ProcessorError, match="no such block"):
            authoring.save_in_collection(AUTHOR, LIBRARY, [UNKNOWN], key=key, title="Quiz")


def test_publishing_any_number_of_times(authoring):
    authoring.publish_library(AUTHOR, LIBRARY)
    create(authoring)
    authoring.publish_library(AUTHOR, LIBRARY)
