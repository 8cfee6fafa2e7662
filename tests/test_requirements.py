"""What the package needs: it can be installed into each platform, and the oldest versions it names are tested."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.settings import REPO

NEEDED = REPO / "requirements/base.in"
OLDEST = REPO / "requirements/oldest.txt"
CONSTRAINTS = REPO / "tests/constraints"
PINNED = re.compile(r"^([a-z0-9-]+)==([^\s;]+)", re.MULTILINE)

# Platform, its Python, what else is asked for; what comes out of LiteLLM and mcp.
INSTALLS = [
    pytest.param("teak-2025", "3.11", (), (">=1.95", "==1.*"), id="Teak"),
    pytest.param("teak-2025", "3.11", ("litellm==1.83.0",), ("==1.83.0", "==1.*"), id="Teak, the oldest LiteLLM"),
    pytest.param("september-2025", "3.11", (), (">=1.95", "==1.*"), id="September 2025"),
    pytest.param("verawood-2026", "3.12", (), (">=1.83", "==1.*"), id="2026"),
    pytest.param(None, "3.11", ("Django<5",), (">=1.106", "==2.*"), id="nothing, Django 4.2"),
    pytest.param(None, "3.12", (), (">=1.106", "==2.*"), id="nothing, Python 3.12"),
    pytest.param(None, "3.11", ("litellm==1.83.0",), ("==1.83.0", ">=1.30"), id="nothing, the oldest LiteLLM"),
]


def needed() -> list[Requirement]:
    lines = (line.split(" #")[0].strip() for line in NEEDED.read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def pins(text: str) -> dict[str, Version]:
    return {name: Version(version) for name, version in PINNED.findall(text)}


def canonical(requirement: Requirement) -> str:
    return requirement.name.lower()


def resolve(*arguments: str, more: str = "") -> subprocess.CompletedProcess[str]:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if uv is None:
        pytest.skip("uv is not installed: whether the requirements resolve is not tested")
    command = [uv, "pip", "compile", "--quiet", "--no-header", "--no-annotate", *arguments, "-"]
    return subprocess.run(command, input=more, capture_output=True, text=True, check=False, cwd=REPO)


@pytest.fixture(scope="session")
def _index() -> None:
    if resolve(more="json5").returncode:
        pytest.skip("the package index cannot be reached: whether the requirements resolve is not tested")


@pytest.mark.usefixtures("_index")
@pytest.mark.parametrize(("platform", "python", "more", "expected"), INSTALLS)
def test_it_can_be_installed_into(platform, python, more, expected):
    constraints = ("-c", str(CONSTRAINTS / f"{platform}.txt")) if platform else ()
    found = resolve("--python-version", python, str(NEEDED), *constraints, more="\n".join(more))
    assert found.returncode == 0, found.stderr
    versions = pins(found.stdout)
    for name, range_ in zip(("litellm", "mcp"), expected, strict=True):
        assert versions[name] in SpecifierSet(range_), found.stdout


@pytest.mark.parametrize("requirement", needed(), ids=canonical)
def test_the_oldest_version_that_is_promised_is_the_oldest_tested(requirement):
    bounds = [Version(each.version) for each in requirement.specifier if each.operator == ">="]
    assert len(bounds) == 1
    tested = pins(OLDEST.read_text(encoding="utf-8"))[canonical(requirement)]
    assert tested.release[: len(bounds[0].release)] == bounds[0].release


@pytest.mark.parametrize("platform", sorted(path.stem for path in CONSTRAINTS.glob("*.txt")))
def test_nothing_that_a_platform_pins_is_out_of_range(platform):
    pinned = pins((CONSTRAINTS / f"{platform}.txt").read_text(encoding="utf-8"))
    wanted = {canonical(requirement): requirement.specifier for requirement in needed()}
    found = {name for name in wanted if name in pinned and not wanted[name].contains(pinned[name])}
    assert found == set()


@pytest.mark.parametrize("version", ["1.82.7", "1.82.8"])
def test_malicious_releases_are_refused(version):
    (litellm,) = [requirement for requirement in needed() if requirement.name == "litellm"]
    assert not litellm.specifier.contains(version)
