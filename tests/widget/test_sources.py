"""What is served is what the sources say, small enough, and complete in every language that comes with it."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess

import pytest

from tests.widget.conftest import SOURCES, STATIC

BUDGET = 40 * 1024  # bytes, compressed
PLURALS = {"es": {"one", "other"}, "ar": {"zero", "one", "two", "few", "many", "other"}}


def test_it_is_small_enough():
    assert len(gzip.compress((STATIC / "widget.js").read_bytes(), 9)) < BUDGET


def test_the_lock_names_no_registry():
    lock = json.loads((SOURCES / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    exact = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))["devDependencies"].values()
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in exact)


def test_what_is_served_is_what_the_sources_make(tmp_path):
    node = shutil.which("node")
    if node is None or not (SOURCES / "node_modules").is_dir():
        pytest.skip("there is no Node.js here, or `make widget` has not run: nothing to build the widget with")
    subprocess.run([node, "build.js", str(tmp_path)], cwd=SOURCES, check=True)
    for name in ("widget.js", "widget.LICENSE.txt"):
        assert (tmp_path / name).read_bytes() == (STATIC / name).read_bytes()


def leaves(messages, language, path=()):
    """The ids of all texts; the plural forms of one count as one."""
    for name, value in messages.items():
        if isinstance(value, str):
            yield ".".join((*path, name))
        elif {"one", "other"} <= set(value):
            assert set(value) == PLURALS.get(language, set(value)), (name, language)
            yield ".".join((*path, name))
        else:
            yield from leaves(value, language, (*path, name))


@pytest.mark.parametrize("language", sorted(PLURALS))
def test_a_language_says_everything(language):
    source = (SOURCES / "src" / "en.js").read_text(encoding="utf-8")
    known = set(re.findall(r"^\s*(?:\"?)(\w+)(?:\"?):(?=\s)", source, re.MULTILINE))
    messages = json.loads((STATIC / f"widget-{language}.json").read_text(encoding="utf-8"))
    said = set(leaves(messages, language))
    assert {name for found in said for name in found.split(".")} <= known | {"again", "hard", "good", "easy"}
    # At the first level nothing is missing.
    assert {name.split(".")[0] for name in said} == set(re.findall(r"^  (\w+):", source, re.MULTILINE))
