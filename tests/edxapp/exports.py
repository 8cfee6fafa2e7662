"""Small course exports, written as a directory or packed as Studio packs them."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.test import override_settings
from opaque_keys.edx.keys import CourseKey, UsageKey

from openedx_ai_extensions.edxapp.standalone import StandalonePlatform

COURSE_KEY = CourseKey.from_string("course-v1:Org+C1+r1")

LEARNER = User(username="learner")
AUTHOR = User(username="author")
SITE_STAFF = User(username="boss", is_staff=True)
SUPERUSER = User(username="root", is_superuser=True)
STRANGER = User(username="stranger")
ANONYMOUS = AnonymousUser()
INACTIVE_LEARNER = User(username="learner", is_active=False)
INACTIVE_STAFF = User(username="boss", is_staff=True, is_active=False)

COURSE = {
    "course.xml": '<course url_name="r1" org="Org" course="C1"/>',
    "course/r1.xml": '<course display_name="A course"><chapter url_name="ch1"/><chapter url_name="ch2"/></course>',
    "chapter/ch1.xml": '<chapter display_name="One"><sequential url_name="s1"/><sequential url_name="s2"/></chapter>',
    "chapter/ch2.xml": '<chapter display_name="Two"><sequential url_name="s3"/></chapter>',
    "sequential/s1.xml": """
        <sequential display_name="S1"><vertical url_name="u1"/><vertical url_name="u2"/></sequential>""",
    "sequential/s2.xml": '<sequential display_name="S2"><vertical url_name="u3"/></sequential>',
    "sequential/s3.xml": '<sequential display_name="S3"><vertical url_name="u4"/></sequential>',
    **{f"vertical/u{n}.xml": f'<vertical display_name="U{n}"><html url_name="h{n}"/></vertical>' for n in range(1, 5)},
    **{f"html/h{n}.xml": f'<html filename="h{n}"/>' for n in range(1, 5)},
    **{f"html/h{n}.html": f"<p>Text {n}</p>" for n in range(1, 5)},
}


def block_key(name: str) -> UsageKey:
    """``vertical/u1`` as a usage key of the course above."""
    category, _, block_id = name.partition("/")
    return UsageKey.from_string(f"block-v1:Org+C1+r1+type@{category}+block@{block_id}")


def write_directory(files: Mapping[str, str | bytes], path: Path) -> Path:
    for name, data in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def write_tar(files: Mapping[str, str | bytes], path: Path, root: str = "course/", mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            content = data.encode() if isinstance(data, str) else data
            member = tarfile.TarInfo(f"{root}{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def platform_for(path: Path, **entry: Any) -> StandalonePlatform:
    """A platform with one course, staffed by ``author``, taken by ``learner``, that looks for changes on every call."""
    entry = {"path": path, "staff": ["author"], "learners": ["learner"], **entry}
    with override_settings(AI_EXTENSIONS_STANDALONE={"COURSES": [entry]}):
        return StandalonePlatform(check_interval=0)
