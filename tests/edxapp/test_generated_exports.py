"""Random exports: everyone sees what is theirs to see, all of it, and nothing else happens."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable

import pytest
from django.test import override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from openedx_ai_extensions.edxapp.interface import Block, RetrievalMode
from openedx_ai_extensions.exceptions import ProcessorError
from tests.edxapp.exports import AUTHOR, COURSE_KEY, LEARNER, STRANGER, platform_for, write_directory, write_tar
from tests.edxapp.generated import Writer, courses

# 1 000 take a minute or two.
EXAMPLES = int(os.environ.get("GENERATED_EXPORTS", "100"))
MAX_SECONDS = 20

ROOT = COURSE_KEY.make_usage_key("course", "course")
TOKEN = re.compile(r"token\w+?x")


def tokens(blocks: Iterable[Block]) -> set[str]:
    """The words that stand in what somebody sees."""
    found: set[str] = set()
    for block in blocks:
        for value in block.fields.values():
            found |= set(TOKEN.findall(str(value)))
        found |= tokens(block.children)
    return found


@given(
    course=courses(),
    spelling=st.sampled_from(["NFC", "NFD", "quoted"]),
    form=st.sampled_from(["directory", "w", "w:gz"]),
    top=st.sampled_from(["course/", "", "My course/", "./Kurs-日本/"]),
    variant=st.sampled_from(["lms", "cms"]),
)
@settings(max_examples=EXAMPLES)
def test_everyone_sees_what_is_theirs_and_nothing_else(tmp_path_factory, course, spelling, form, top, variant):
    files, folder = Writer(spelling).write(course), tmp_path_factory.mktemp("generated")
    if form == "directory":
        path = write_directory(files, folder / "course")
    else:
        path = write_tar(files, folder / "c.tar.gz", root=top, mode=form)
    with override_settings(SERVICE_VARIANT=variant):
        platform = platform_for(path)
        start = time.thread_time()
        for person in (LEARNER, AUTHOR):
            seen = list(course.walk(for_staff=person is AUTHOR, in_studio=variant == "cms"))
            content = platform.content(person, ROOT, RetrievalMode.UNIT)
            assert tokens(content) == {block.token for block in seen if block.token}
            for block in course.walk(for_staff=True, in_studio=variant == "cms"):
                if block is not course.root:
                    key = COURSE_KEY.make_usage_key(block.tag, block.name)
                    assert platform.can_see_block(person, key) is (block in seen)
        assert time.thread_time() - start < MAX_SECONDS
        assert not platform.can_see_block(STRANGER, ROOT)
        with pytest.raises(ProcessorError):
            platform.content(STRANGER, ROOT, RetrievalMode.UNIT)
