"""The backends, each with the same course and the same people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openedx_ai_extensions.edxapp.interface import Platform
from openedx_ai_extensions.edxapp.platform import OpenEdXPlatform
from openedx_ai_extensions.edxapp.standalone import StandalonePlatform
from tests.edxapp.contract.sample import COURSE_KEY, LIBRARY, write_sample
from tests.fakes.openedx_platform import installed
from tests.fakes.openedx_platform.world import Library, World


@pytest.fixture(scope="session")
def course_folder(tmp_path_factory) -> Path:
    return write_sample(tmp_path_factory.mktemp("contract") / "course")


@pytest.fixture
def world(course_folder) -> Iterator[World]:
    """A platform with the course, staffed by ``author``, taken by ``learner``."""
    with installed() as world:
        world.add_course(course_folder)
        world.enrolled.add(("learner", COURSE_KEY))
        world.staff.add(("author", COURSE_KEY))
        world.libraries[LIBRARY] = Library(editors={"author"})
        yield world


@pytest.fixture
def lms(world, settings) -> OpenEdXPlatform:
    settings.SERVICE_VARIANT = "lms"
    return OpenEdXPlatform()


@pytest.fixture
def studio(world, settings) -> OpenEdXPlatform:
    settings.SERVICE_VARIANT = "cms"
    return OpenEdXPlatform()


@pytest.fixture
def standalone(course_folder, tmp_path, settings) -> StandalonePlatform:
    settings.AI_EXTENSIONS_STANDALONE = {
        "COURSES": [{"path": course_folder, "staff": ["author"], "learners": ["learner"]}]
    }
    settings.AI_EXTENSIONS_STANDALONE_LIBRARIES = {str(LIBRARY): {"path": tmp_path / "lib", "editors": ["author"]}}
    return StandalonePlatform()


@pytest.fixture(params=["standalone", "lms"])
def platform(request) -> Platform:
    """Where learners are."""
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["standalone", "lms", "studio"])
def any_platform(request) -> Platform:
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["standalone", "studio"])
def authoring(request, db) -> Platform:
    """Where libraries are."""
    return request.getfixturevalue(request.param)
