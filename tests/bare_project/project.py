"""A Django project that has nothing of Open edX, in a directory of its own, run as its owner would."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.settings import REPO

NAME = "mysite"


@dataclass(frozen=True, slots=True)
class Project:
    """What ``django-admin startproject mysite`` makes, and what is added to it.

    Attributes:
        path: the directory with ``manage.py``.
    """

    path: Path

    @classmethod
    def start(cls, directory: Path) -> Project:
        """Make one in a directory that exists."""
        project = cls(directory)
        project.run("-m", "django", "startproject", NAME, str(directory))
        return project

    def add(self, name: str, text: str) -> None:
        """Write at the end of a file, a new one if there is none."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}")

    def manage(
        self, *arguments: str, text: str = "", settings: str = f"{NAME}.settings"
    ) -> subprocess.CompletedProcess:
        """Run ``manage.py``, with a text on standard input."""
        return self.run("manage.py", *arguments, text=text, DJANGO_SETTINGS_MODULE=settings)

    def run(self, *arguments: str, text: str = "", **environment: str) -> subprocess.CompletedProcess:
        """Run Python here, without the settings of the tests."""
        return subprocess.run(
            [sys.executable, "-W", "ignore", *arguments],
            cwd=self.path,
            env=_own_environment() | {"PYTHONPATH": str(REPO)} | environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )


def _own_environment() -> Mapping[str, str]:
    ours = ("DJANGO_", "SERVICE_VARIANT", "AI_EXTENSIONS", "OPENAI_", "CELERY_", "PYTEST_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}
