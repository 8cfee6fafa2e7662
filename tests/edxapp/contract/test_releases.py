"""Which backend answers, and a platform that lacks something."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from django.core.exceptions import ImproperlyConfigured

from openedx_ai_extensions.core.setting_list import default_backend
from openedx_ai_extensions.edxapp import get_platform
from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.edxapp.platform import OpenEdXPlatform
from openedx_ai_extensions.edxapp.platform.imports import EdX, missing_names
from tests.edxapp.contract.sample import COURSE_KEY, key
from tests.edxapp.exports import LEARNER


def test_inside_the_platform_it_is_the_platforms_own(world):
    assert default_backend() == "openedx_ai_extensions.edxapp.platform.OpenEdXPlatform"


def test_anywhere_else_it_is_the_standalone_one():
    assert default_backend() == "openedx_ai_extensions.edxapp.standalone.StandalonePlatform"


def test_a_sites_own_choice_wins(world, settings):
    settings.AI_EXTENSIONS_BACKEND = "openedx_ai_extensions.edxapp.platform.OpenEdXPlatform"
    assert isinstance(get_platform(), OpenEdXPlatform)
    assert get_platform() is get_platform()


def test_the_fakes_have_every_name(world):
    assert missing_names() == []
    assert len(vars(EdX)) > 20


def test_without_the_platform_every_question_names_what_is_missing(settings):
    with pytest.raises(ImproperlyConfigured, match=r"common\.djangoapps\.student.*Teak, Ulmo and Verawood"):
        OpenEdXPlatform().can_see_course(LEARNER, COURSE_KEY)


def test_a_name_that_moved_is_found_where_it_went(lms, world, monkeypatch):
    monkeypatch.setitem(sys.modules, "xmodule.video_block.transcripts_utils", None)
    moved = ModuleType("moved")
    moved.get_transcript = lambda block, lang=None, output_format="srt": (
        b"1\n00:00:01,000 --> 00:00:02,000\nIt\nmoved",
        "x.srt",
        "application/x-subrip",
    )
    monkeypatch.setitem(sys.modules, "openedx.core.djangoapps.video_config", ModuleType("video_config"))
    monkeypatch.setitem(sys.modules, "openedx.core.djangoapps.video_config.transcripts_utils", moved)
    [unit] = lms.content(LEARNER, key("video/video_chlorophyll"), RetrievalMode.UNIT)
    assert unit.children[1].fields["transcript"] == "It moved"


def test_a_name_that_is_gone_is_named_with_its_places(lms, world, monkeypatch):
    for module in ("xmodule.video_block.transcripts_utils", "xblocks_contrib.video.video_handlers"):
        monkeypatch.setitem(sys.modules, module, None)
    [unit] = lms.content(LEARNER, key("video/video_chlorophyll"), RetrievalMode.UNIT)
    with pytest.raises(ImproperlyConfigured) as caught:
        unit.children[1].fields["transcript"]
    assert "xmodule.video_block.transcripts_utils.get_transcript" in str(caught.value)
    assert "xblocks_contrib.video.video_handlers.get_transcript" in str(caught.value)
