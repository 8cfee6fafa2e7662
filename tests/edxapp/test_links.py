"""Links to a place in a course, in the standalone backend."""

from __future__ import annotations

import pytest
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.edxapp.standalone import StandalonePlatform
from tests.edxapp.exports import COURSE_KEY, block_key

UNIT = "block-v1:Org+C1+r1+type@vertical+block@u1"


@pytest.mark.parametrize(
    ("learning", "lms", "link"),
    [
        pytest.param(
            "https://apps.example/learning/", "https://lms.example", f"https://apps.example/learning/course/{COURSE_KEY}/{UNIT}",
            id="the learning micro-frontend first",
        ),
        pytest.param(
            None, "https://lms.example/", f"https://lms.example/courses/{COURSE_KEY}/jump_to/{UNIT}", id="else the LMS"
        ),
        pytest.param("", "https://lms.example", f"https://lms.example/courses/{COURSE_KEY}/jump_to/{UNIT}", id="empty"),
        pytest.param(None, None, f"/courses/{COURSE_KEY}/jump_to/{UNIT}", id="of this site, where nothing is set"),
    ],
)  # fmt: skip
def test_links(settings, learning, lms, link):
    settings.LEARNING_MICROFRONTEND_URL, settings.LMS_ROOT_URL = learning, lms
    assert StandalonePlatform().block_link(block_key("vertical/u1")) == link


def test_a_key_stays_in_its_place(settings):
    settings.LEARNING_MICROFRONTEND_URL = "https://apps.example"
    old_key = UsageKey.from_string("i4x://Org/C1/html/a.b").map_into_course(CourseKey.from_string("Org/C1/run"))
    link = StandalonePlatform().block_link(old_key)
    assert link == "https://apps.example/course/Org%2FC1%2Frun/i4x:%2F%2FOrg%2FC1%2Fhtml%2Fa.b"


@pytest.mark.parametrize(
    ("value", "is_good"),
    [("https://x", True), ("//x", True), (None, True), ("", True), ("x", False), ("javascript:x", False), (5, False)],
)
@pytest.mark.parametrize("name", ["LEARNING_MICROFRONTEND_URL", "LMS_ROOT_URL"])
def test_the_settings(name, value, is_good):
    assert (conf.SETTINGS[name].problem(value) is None) is is_good
