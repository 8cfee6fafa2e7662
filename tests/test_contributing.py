"""What contributors and releases go by: versions agree, hooks download nothing."""

from __future__ import annotations

import re
import tomllib
from datetime import date

import yaml

from openedx_ai_extensions import __version__
from tests.settings import REPO

HEADING = re.compile(r"^(\d+\.\d+\.\d+) - (\S+)\n\*+$", re.MULTILINE)


def test_the_version_is_the_same_everywhere():
    sections = HEADING.findall((REPO / "CHANGELOG.rst").read_text(encoding="utf-8"))
    number, day = sections[0]
    assert __version__ == (f"{number}.dev0" if day == "Unreleased" else number)
    tutor = tomllib.loads((REPO / "tutor/pyproject.toml").read_text(encoding="utf-8"))
    assert tutor["project"]["version"] == __version__
    assert [date.fromisoformat(day) for _number, day in sections[1:]]


def test_hooks_run_what_is_installed():
    config = yaml.safe_load((REPO / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    by_message, *others = sorted(config["repos"][0]["hooks"], key=lambda hook: hook["language"])
    assert (by_message["id"], by_message["language"]) == ("message", "pygrep")
    assert {hook["language"] for hook in others} == {"system"}
    assert [hook["id"] for hook in others if ".venv/bin/" not in hook["entry"]] == []


def test_the_catalogue_s_entry():
    entry = yaml.safe_load((REPO / "catalog-info.yaml").read_text(encoding="utf-8"))
    assert (entry["apiVersion"], entry["kind"]) == ("backstage.io/v1alpha1", "Component")
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry["metadata"]["name"])
    assert {"owner", "type", "lifecycle"} <= set(entry["spec"])
