"""A course built from files, read once as a directory and once as an archive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from openedx_ai_extensions.edxapp.standalone import StandalonePlatform
from tests.edxapp.exports import COURSE, platform_for, write_directory, write_tar


@pytest.fixture(params=["directory", "archive"])
def build(request, tmp_path) -> Callable[..., StandalonePlatform]:
    """Build a platform from the sample course with some files laid over it (None takes one away)."""

    def make(changes: Mapping[str, str | bytes | None] | None = None, **entry: Any) -> StandalonePlatform:
        files = {name: data for name, data in {**COURSE, **(changes or {})}.items() if data is not None}
        if request.param == "directory":
            path = write_directory(files, tmp_path / "course")
        else:
            path = write_tar(files, tmp_path / "course.tar.gz")
        return platform_for(path, **entry)

    return make
