"""Under which licences comes what the package needs and contains: all are known, none is news to a site."""

from __future__ import annotations

import json
import re
from importlib.metadata import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.settings import REPO

STATIC = REPO / "openedx_ai_extensions/static"

# The names that packages give to the licences that we accept. "Artistic" is for text-unidecode alone.
PERMISSIVE = {
    "Apache-2.0": r"apache([ -]2\.0|( software)? license.*)",
    "BSD": r"(new )?bsd( license|[ -][23]-clause)?",
    "CNRI-Python": r"cnri-python",
    "ISC": r"isc",
    "MIT": r"(the )?mit( license|-0)?\b.*",
    "PSF-2.0": r"psf-2\.0|python software foundation license",
}
WEAK_COPYLEFT = {"Artistic": r"artistic license", "MPL-2.0": r"mpl-2\.0|mozilla public license 2\.0.*"}
AGPL = {"AGPL": r"agpl.*|gnu affero general public license v3.*"}
LICENCES = PERMISSIVE | WEAK_COPYLEFT | AGPL

# Of the packages that the widget needs, those that do nothing but help its developers, or have no code in a browser.
NOT_IN_THE_BUNDLE = {"character-entities", "commander", "debug", "dequal", "devlop", "esbuild", "mathjax", "mathjax-2",
                     "micromark-util-html-tag-name", "micromark-util-symbol", "micromark-util-types",
                     "ms"}  # fmt: skip
LONGEST_LINE_OF_A_PERSON = 500


def needed() -> list[str]:
    """The packages in ``base.txt`` that this Python and system install."""
    lines = re.findall(
        r"^[a-z0-9][^\\\n]*==[^\\\n]*", (REPO / "requirements/base.txt").read_text("utf-8"), re.MULTILINE
    )
    requirements = [Requirement(line) for line in lines]
    return sorted({each.name for each in requirements if not each.marker or each.marker.evaluate()})


def known(text: str) -> str | None:
    return next((name for name, words in LICENCES.items() if re.fullmatch(words, text, re.I | re.S)), None)


def licences(package: str) -> set[str | None]:
    """All licences that hold for a package; None is one that we do not accept. Where there is a choice, the first that
    we accept.
    """
    said = metadata(package)
    # With get(), as the backport importlib_metadata, once a test has imported it, raises KeyError for what is missing.
    expression = said.get("License-Expression")
    if expression is None:
        classifiers = [
            each.rpartition(" :: ")[2]
            for each in said.get_all("Classifier", [])
            if each.startswith("License :: OSI Approved :: ")
        ]
        # Several classifiers are a choice, as with python-dateutil. Without any, some give a whole text under a title.
        expression = " OR ".join(classifiers) or said.get("License", "").partition("\n")[0]
    held = set()
    for part in expression.split(" AND "):
        choice = (known(each.strip("() \n")) for each in part.split(" OR "))
        held.add(next(filter(None, choice), None))
    return held


def under(names: dict[str, str]) -> set[str]:
    return {package for package in needed() if licences(package) & set(names)}


def section(path: Path, title: str) -> str:
    """The text of a page from a title to the next of its rank."""
    text = path.read_text(encoding="utf-8")
    found = re.search(rf"^{title}\n(\W)\1+\n(.*?)(?=^[^\n]+\n\1{{4,}}$|\Z)", text, re.MULTILINE | re.DOTALL)
    return found.group(2)


@pytest.mark.parametrize("package", needed())
def test_we_know_and_accept_the_licence_of(package):
    said = metadata(package)
    assert None not in licences(package), [said.get("License-Expression"), said.get("License")]


def test_the_documentation_names_what_is_not_permissive():
    page = section(REPO / "docs/operators.rst", "Licences")
    named = {canonicalize_name(name) for name in re.findall(r"``([\w-]+)``", page)}
    assert under(AGPL) - named == set()
    assert under(WEAK_COPYLEFT) - named == set()
    # Nothing is named that is no longer needed. What a Python or system does without is not.
    assert named - set(needed()) == set()


def test_the_readme_says_that_agpl_is_among_them():
    assert "AGPL" in section(REPO / "README.rst", "Licence")


def test_each_bundled_package_is_named_with_its_licence():
    notices = {path.name: path.read_text("utf-8") for path in STATIC.glob("openedx_ai_extensions/*.LICENSE.txt")}
    lock = json.loads((REPO / "widget/package-lock.json").read_text(encoding="utf-8"))["packages"]
    packages = {path.removeprefix("node_modules/"): each for path, each in lock.items() if path}
    bundled = {
        name: each["version"]
        for name, each in packages.items()
        if name not in NOT_IN_THE_BUNDLE and not name.startswith(("@esbuild/", "@types/"))
    }
    assert bundled
    named = re.findall(r"^(\S+) (\d+\.\d+\.\d+)$", "\n".join(notices.values()), re.MULTILINE)
    assert set(named) == set(bundled.items())
    assert {packages[name]["license"] for name in bundled} == {"MIT", "BSD-3-Clause"}
    for name, holder in (
        ("widget", "Titus Wormer"),
        ("widget-katex", "Khan Academy"),
        ("widget-code", "Ivan Sagalaev"),
    ):
        assert holder in notices[f"{name}.LICENSE.txt"]
        assert f"see {name}.LICENSE.txt" in (STATIC / f"openedx_ai_extensions/{name}.js").read_text("utf-8")[:200]
    assert "The above copyright notice and this permission notice shall be" in notices["widget.LICENSE.txt"]


def test_the_fonts_of_formulas_travel_with_their_licence():
    notice = (STATIC / "openedx_ai_extensions/widget-katex.LICENSE.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in notice
    families = {path.stem.partition("-")[0] for path in (STATIC / "openedx_ai_extensions/fonts").iterdir()}
    assert {family for family in families if family not in notice} == set()


def test_no_other_file_is_a_bundle():
    """What nobody writes by hand may be somebody else's, and needs a notice beside it."""
    for path in REPO.glob("openedx_ai_extensions/**/static/**/*"):
        if path.suffix in {".js", ".css"} and not path.with_suffix(".LICENSE.txt").exists():
            lines = path.read_text(encoding="utf-8").splitlines()
            assert max(map(len, lines)) < LONGEST_LINE_OF_A_PERSON, path
            assert not re.search(r"@license|copyright", "\n".join(lines), re.IGNORECASE), path
