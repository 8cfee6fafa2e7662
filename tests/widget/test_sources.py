"""What is served is what the sources say, small enough, and complete in every language that comes with it."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess

import pytest

from tests.widget.conftest import SOURCES, STATIC

# Bytes, compressed: of what every page loads, and of what it loads when an answer or an author needs it.
BUDGETS = {
    "widget.js": 40 * 1024,
    "widget-formulas.js": 5 * 1024,
    "widget-katex.js": 90 * 1024,
    "widget-code.js": 34 * 1024,
    "widget-citations.js": 2 * 1024,
    "widget-selection.js": 2 * 1024,
    "widget-feedback.js": 4 * 1024,
    "widget-answer.js": 28 * 1024,
    "widget-flashcards.js": 9 * 1024,
    "widget-quiz.js": 10 * 1024,
}
LARGEST_FONT = 30 * 1024
PLURALS = {"es": {"one", "other"}, "ar": {"zero", "one", "two", "few", "many", "other"}}


def test_it_is_small_enough():
    sizes = {path.name: len(gzip.compress(path.read_bytes(), 9)) for path in STATIC.glob("widget*.js")}
    assert set(sizes) == set(BUDGETS)
    assert {name: size for name, size in sizes.items() if size >= BUDGETS[name]} == {}
    assert max(path.stat().st_size for path in (STATIC / "fonts").iterdir()) < LARGEST_FONT


def test_the_lock_names_no_registry():
    lock = json.loads((SOURCES / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    exact = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))["devDependencies"].values()
    assert all(re.fullmatch(r"(npm:mathjax@)?\d+\.\d+\.\d+", version) for version in exact)


def test_what_is_served_is_what_the_sources_make(tmp_path):
    node = shutil.which("node")
    if node is None or not (SOURCES / "node_modules").is_dir():
        pytest.skip("there is no Node.js here, or `make widget` has not run: nothing to build the widget with")
    subprocess.run([node, "build.js", str(tmp_path)], cwd=SOURCES, check=True)
    made = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(made) > 2 * len(BUDGETS)
    assert made == {name: (STATIC / name).read_bytes() for name in made}


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
    source = "".join(path.read_text(encoding="utf-8") for path in (SOURCES / "src").glob("en*.js"))
    known = set(re.findall(r"^\s*(?:\"?)(\w+)(?:\"?):(?=\s)", source, re.MULTILINE))
    messages = json.loads((STATIC / f"widget-{language}.json").read_text(encoding="utf-8"))
    said = set(leaves(messages, language))
    assert {name for found in said for name in found.split(".")} <= known | {"again", "hard", "good", "easy"}
    # At the first level nothing is missing.
    assert {name.split(".")[0] for name in said} == set(re.findall(r"^  (\w+):", source, re.MULTILINE))
