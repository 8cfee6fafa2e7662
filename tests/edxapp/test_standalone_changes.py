"""Exports that change while the site runs, several of them, and many threads."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import override_settings

from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.edxapp.standalone import StandalonePlatform
from openedx_ai_extensions.exceptions import ProcessorError
from tests.edxapp.exports import (
    AUTHOR,
    COURSE,
    COURSE_KEY,
    LEARNER,
    block_key,
    platform_for,
    write_directory,
    write_tar,
)

HIDDEN = {**COURSE, "vertical/u1.xml": '<vertical visible_to_staff_only="true"><html url_name="h1"/></vertical>'}
PACKS = [pytest.param(write_directory, id="directory"), pytest.param(write_tar, id="archive")]


def rewrite(pack, files, path):
    """Write an export again, visibly later than before."""
    pack(files, path)
    for file in [path, *path.rglob("*")] if path.is_dir() else [path]:
        later = file.stat().st_mtime + 10
        os.utime(file, (later, later))


@pytest.mark.parametrize("pack", PACKS)
def test_a_changed_export_is_read_again(tmp_path, pack):
    path = pack(COURSE, tmp_path / "c")
    platform = platform_for(path)
    assert platform.can_see_block(LEARNER, block_key("vertical/u1"))
    rewrite(pack, HIDDEN, path)
    assert not platform.can_see_block(LEARNER, block_key("vertical/u1"))


@pytest.mark.parametrize("pack", PACKS)
def test_an_export_that_appears_later_is_found(tmp_path, pack):
    platform = platform_for(tmp_path / "c")
    assert not platform.can_see_course(LEARNER, COURSE_KEY)
    pack(COURSE, tmp_path / "c")
    assert platform.can_see_course(LEARNER, COURSE_KEY)


def test_a_change_that_cannot_be_read_leaves_the_course_as_it_was_until_it_can(tmp_path):
    path = write_tar(COURSE, tmp_path / "c.tar.gz")
    platform = platform_for(path)
    assert platform.can_see_course(LEARNER, COURSE_KEY)
    path.write_bytes(b"half an upload")
    assert platform.can_see_course(LEARNER, COURSE_KEY)
    rewrite(write_tar, HIDDEN, path)
    assert not platform.can_see_block(LEARNER, block_key("vertical/u1"))


def test_the_files_are_not_looked_at_more_often_than_told(tmp_path):
    path = write_directory(COURSE, tmp_path / "c")
    entry = {"path": path, "learners": "*"}
    with override_settings(AI_EXTENSIONS_STANDALONE={"COURSES": [entry]}):
        platform = StandalonePlatform(check_interval=3600)
    assert platform.can_see_block(LEARNER, block_key("vertical/u1"))
    rewrite(write_directory, HIDDEN, path)
    assert platform.can_see_block(LEARNER, block_key("vertical/u1"))


def test_one_broken_export_does_not_touch_another(tmp_path):
    entries = [
        {"path": tmp_path / "missing.tar.gz", "learners": "*"},
        {"path": str(write_directory(COURSE, tmp_path / "c")), "learners": "*"},
        # The same course once more: the first one counts.
        {"path": write_tar(HIDDEN, tmp_path / "c.tar.gz"), "staff": ["learner"]},
    ]
    with override_settings(AI_EXTENSIONS_STANDALONE={"COURSES": entries}):
        platform = StandalonePlatform()
    assert platform.can_see_block(LEARNER, block_key("vertical/u1"))
    assert not platform.is_course_staff(LEARNER, COURSE_KEY)
    with pytest.raises(ProcessorError, match="cannot be read"):
        platform.course_info(COURSE_KEY.replace(run="r2"))


def test_the_door_follows_the_setting(tmp_path):
    path = write_directory(COURSE, tmp_path / "c")
    assert not get_platform().can_see_course(AUTHOR, COURSE_KEY)
    with override_settings(AI_EXTENSIONS_STANDALONE={"COURSES": [{"path": path, "staff": ["author"]}]}):
        assert get_platform() is get_platform()
        assert get_platform().can_see_course(AUTHOR, COURSE_KEY)
    assert not get_platform().can_see_course(AUTHOR, COURSE_KEY)


def test_threads_never_see_half_a_course(tmp_path):
    path = write_directory(COURSE, tmp_path / "c")
    platform = platform_for(path)
    start, stop = threading.Barrier(5), threading.Event()

    def read():
        start.wait()
        seen = set()
        while not stop.is_set():
            unit_ids = [
                u.usage_key.block_id for u in platform.content(LEARNER, block_key("chapter/ch1"), RetrievalMode.UNIT)
            ]
            seen.add(tuple(unit_ids))
        return seen

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(4)]
        start.wait()
        for files in (HIDDEN, COURSE) * 5:
            rewrite(write_directory, {"vertical/u1.xml": files["vertical/u1.xml"]}, path)
        stop.set()
        seen = set().union(*(reader.result() for reader in readers))
    assert seen <= {("u1", "u2", "u3"), ("u2", "u3")}
