"""What a course export says about the course: its metadata and the ``about`` folder."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from opaque_keys.edx.keys import CourseKey

from openedx_ai_extensions.edxapp.interface import CourseInfo
from openedx_ai_extensions.edxapp.standalone.values import moment, plain


def course_info(course_key: CourseKey, run: str, metadata: Mapping[str, str], files: Mapping[str, bytes]) -> CourseInfo:
    """What the export says of a run: its own pages come before those for all runs."""

    def about(name: str) -> str:
        names = (f"about/{run}/{name}.html", f"about/{name}.html")
        data = next((files[page] for page in names if page in files), b"")
        return data.decode("utf-8-sig", "replace").strip()

    return CourseInfo(
        course_key=course_key,
        title=plain(metadata.get("display_name")),
        short_description=about("short_description"),
        description=about("description"),
        overview=about("overview"),
        syllabus=about("syllabus"),
        language=plain(metadata.get("language")),
        start=_moment_or_none(metadata.get("start")),
        end=_moment_or_none(metadata.get("end")),
    )


def _moment_or_none(value: str | None) -> datetime | None:
    try:
        return moment(value)
    except ValueError:
        return None
