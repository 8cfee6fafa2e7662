"""The two courses behind each backend: ``learner`` takes the main one, ``author`` teaches it, neither has the other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.events.conftest import consuming, outcome
from tests.fakes.openedx_platform import installed
from tests.rights.course import MAIN, OTHER, OTHER_COHORT, write_courses

__all__ = ["consuming", "outcome"]


@pytest.fixture(scope="session")
def course_folders(tmp_path_factory):
    return write_courses(tmp_path_factory.mktemp("rights"))


@pytest.fixture(params=["standalone", "lms"])
def backend(request, course_folders, settings) -> Iterator[str]:
    main, other = course_folders
    if request.param == "standalone":
        settings.AI_EXTENSIONS_STANDALONE = {
            "COURSES": [
                {"path": main, "staff": ["author"], "learners": ["learner"]},
                {"path": other, "staff": ["other_author"], "learners": ["stranger"]},
            ]
        }
        yield request.param
        return
    with installed() as world:
        world.add_course(other)
        world.add_course(main)
        world.enrolled |= {("learner", MAIN), ("stranger", OTHER)}
        world.staff |= {("author", MAIN), ("other_author", OTHER)}
        world.groups["learner"] = {OTHER_COHORT}
        settings.AI_EXTENSIONS_BACKEND = "openedx_ai_extensions.edxapp.platform.OpenEdXPlatform"
        yield request.param
