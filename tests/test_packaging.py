"""The wheel that sites install: everything the package needs at run time, and nothing of the workshop."""

from __future__ import annotations

import shutil
import subprocess
import sys
from email.parser import Parser
from importlib.metadata import EntryPoint
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.settings import REPO

PACKAGE = "openedx_ai_extensions"
APP = "openedx_ai_extensions.apps:OpenEdXAIExtensionsConfig"
LEFT_BEHIND = shutil.ignore_patterns("__pycache__", "*.pyc", "*.sqlite3", ".*")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """A copy of what a release is built from, so that building leaves no trace in the checkout."""
    copy = tmp_path_factory.mktemp("source")
    for name in (PACKAGE, "requirements", "tests"):
        shutil.copytree(REPO / name, copy / name, ignore=LEFT_BEHIND)
    for name in ("setup.py", "pyproject.toml", "MANIFEST.in", "README.rst", "CHANGELOG.rst", "LICENSE"):
        shutil.copy(REPO / name, copy)
    return copy


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory) -> ZipFile:
    target = tmp_path_factory.mktemp("wheel")
    # The build backend by itself: building in isolation would download it for each run.
    build = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(target)], cwd=source, check=True, capture_output=True)
    (built,) = target.glob("*.whl")
    with ZipFile(built) as archive:
        yield archive


def metadata(wheel: ZipFile, name: str) -> str:
    (path,) = [path for path in wheel.namelist() if path.endswith(f".dist-info/{name}")]
    return wheel.read(path).decode()


def test_every_file_of_the_package_travels(source, wheel):
    ours = {path.relative_to(source).as_posix() for path in (source / PACKAGE).rglob("*") if path.is_file()}
    assert ours - set(wheel.namelist()) == set()


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("workflows/profiles/base/summary.json5", id="workflow templates"),
        pytest.param("prompts/texts/summarize_content.txt", id="prompt texts"),
        pytest.param("demo/course/course.xml", id="the demo course"),
        pytest.param("demo/course/static/video_chlorophyll-en.srt", id="its transcript"),
        pytest.param("migrations/0001_initial.py", id="migrations"),
        pytest.param("static/openedx_ai_extensions/widget.LICENSE.txt", id="licences of what the widget contains"),
        pytest.param("static/openedx_ai_extensions/fonts/KaTeX_Main-Regular.woff2", id="fonts of formulas"),
        *(
            pytest.param(f"locale/{language}/LC_MESSAGES/django.mo", id=f"translations: {language}")
            for language in ("es", "ar")
        ),
    ],
)
def test_the_wheel_carries(wheel, path):
    assert f"{PACKAGE}/{path}" in wheel.namelist()


def test_the_licences_travel(wheel):
    licences = {
        path.rpartition("/")[2]: wheel.read(path) for path in wheel.namelist() if ".dist-info/licenses/" in path
    }
    notices = (REPO / PACKAGE / "static" / PACKAGE).glob("*.LICENSE.txt")
    assert licences == {path.name: path.read_bytes() for path in (REPO / "LICENSE", *notices)}
    assert "widget-katex.LICENSE.txt" in licences


def test_the_workshop_stays_at_home(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {PACKAGE}


@pytest.mark.parametrize("group", ["lms.djangoapp", "cms.djangoapp"])
def test_the_platform_finds_the_plugin(wheel, group):
    sections = metadata(wheel, "entry_points.txt").split("[")
    (section,) = [section for section in sections if section.startswith(group)]
    name, _, value = section.split("]")[1].strip().partition(" = ")
    assert (name, value) == (PACKAGE, APP)
    assert EntryPoint(name, value, group).load().name == PACKAGE


def test_the_wheel_says_what_it_needs(wheel):
    fields = Parser().parsestr(metadata(wheel, "METADATA"))
    needs = fields.get_all("Requires-Dist")
    assert fields["Requires-Python"] == ">=3.11"
    assert any(need.startswith("litellm[mcp]") and "!=1.82.7" in need and "!=1.82.8" in need for need in needs)
    assert any('extra == "demo"' in need for need in needs)
    assert (fields["License-Expression"] or fields["License"]) == "Apache-2.0"
