from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

KEY = "sk-not-to-be-seen"
PROVIDERS = {
    "default": {"MODEL": "openai/gpt-4.1-mini", "API_KEY": KEY, "TOTAL_TIMEOUT": 90},
    "local": {"MODEL": "openai/local", "API_BASE": "http://llm:8080/v1", "CAPABILITIES": {"keeps_threads": False}},
}
CONFIGURED = {
    "AI_EXTENSIONS_REQUIREMENT": "openedx-ai-extensions[streaming] @ https://example.com/some.whl",
    "AI_EXTENSIONS_PROVIDERS": PROVIDERS,
    "AI_EXTENSIONS_SETTINGS": {
        "AI_EXTENSIONS_STREAMS": {"PER_PROCESS": 300},
        "AI_EXTENSIONS_COSTS": {"CURRENCY": "EUR", "LEDGER_DAYS": 100},
    },
    "AI_EXTENSIONS_LMS_SETTINGS": {
        "AI_EXTENSIONS_EXAM_FORMATS": ["Final Exam", "Prüfung \"A\" 'B' \\"],
        "AI_EXTENSIONS_COSTS": {"CURRENCY": "CHF"},
    },
    "AI_EXTENSIONS_CMS_SETTINGS": {"AI_EXTENSIONS_ENABLED": False},
    "AI_EXTENSIONS_STREAMING_PROCESSES": 3,
    "AI_EXTENSIONS_STREAMING_REPLICAS": 2,
}


class Site:
    """A Tutor project, rendered by Tutor itself."""

    def __init__(self, root: Path, plugins: list[str], **config: object) -> None:
        self.root = root
        config |= {"PLUGINS": plugins, "LMS_HOST": "lms.example.com", "CMS_HOST": "studio.example.com"}
        (root / "config.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
        self.said = self.tutor("config", "save")

    def tutor(self, *command: str, **variables: str) -> str:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TUTOR_")},
            **variables,
            "TUTOR_ROOT": str(self.root),
            "TUTOR_PLUGINS_ROOT": str(self.root / "plugins"),
        }
        script = str(Path(sys.executable).parent / "tutor")
        run = subprocess.run([script, *command], env=environment, capture_output=True, text=True, check=False)
        return run.stdout + run.stderr

    def read(self, path: str) -> str:
        return (self.root / "env" / path).read_text(encoding="utf-8")

    def yaml(self, path: str) -> list[dict]:
        return [document for document in yaml.safe_load_all(self.read(path)) if document]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """With everything set, and Aspects."""
    return Site(tmp_path_factory.mktemp("site"), ["mfe", "aspects", "ai-extensions"], **CONFIGURED)


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """With nothing set, no Aspects, and a clone of the package mounted."""
    root = tmp_path_factory.mktemp("plain")
    clone = root.parent / "openedx-ai-extensions"
    clone.mkdir()
    return Site(root, ["ai-extensions"], MOUNTS=[str(clone)])
