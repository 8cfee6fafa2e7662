"""What the plugin adds to Tutor: settings, patches, a mount, a task of ``tutor … do init``, and a job of its own."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

import click
from tutor import exceptions, hooks

NAME = "ai-extensions"
PACKAGE = "openedx-ai-extensions"
HERE = files("tutoraiextensions")

# Names of Django settings that AI_EXTENSIONS_SETTINGS may hold: those of openedx-ai-extensions.
OURS = ("AI_EXTENSIONS_", "OPENEDX_AI_EXTENSIONS_")
ALSO_OURS = frozenset({"WORKFLOW_TEMPLATE_DIRS"})

hooks.Filters.CONFIG_DEFAULTS.add_items(
    [
        # Of openedx-ai-extensions, for pip. Empty: it comes from a mounted clone, or is in the image already.
        ("AI_EXTENSIONS_REQUIREMENT", ""),
        # LLM providers by name: the Django setting AI_EXTENSIONS. Empty: it is not set.
        ("AI_EXTENSIONS_PROVIDERS", {}),
        # Any other Django settings of openedx-ai-extensions, by name, for the LMS and Studio; and for one of them.
        ("AI_EXTENSIONS_SETTINGS", {}),
        ("AI_EXTENSIONS_LMS_SETTINGS", {}),
        ("AI_EXTENSIONS_CMS_SETTINGS", {}),
        # The streaming service: whether there is one, on how many processes, and how many each on Kubernetes.
        ("AI_EXTENSIONS_STREAMING", True),
        ("AI_EXTENSIONS_STREAMING_PROCESSES", 1),
        ("AI_EXTENSIONS_STREAMING_REPLICAS", 1),
        ("AI_EXTENSIONS_STREAMING_MEMORY", "2Gi"),
        # Who sees the dashboard in Aspects: keys of SUPERSET_ROLES_MAPPING.
        ("AI_EXTENSIONS_ASPECTS_ROLES", ["operator", "instructor"]),
    ]
)

# `tutor mounts add /path/to/openedx-ai-extensions` installs that clone, at build and at run time.
hooks.Filters.MOUNTED_DIRECTORIES.add_item(("openedx", PACKAGE))

# Both services share a database: what one migrates is there for the other.
hooks.Filters.CLI_DO_INIT_TASKS.add_item(("lms", "./manage.py lms migrate openedx_ai_extensions"))

# Where Tutor mounts the clone. The package that pip installs has no tests.
PLATFORM_TESTS = f"/mnt/{PACKAGE}/tests/platform"


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--service", type=click.Choice(["lms", "cms"]), help="Only in this one, not in both.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def ai_extensions_tests(service: str | None, pytest_arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Run the mounted clone's tests of the platform, in the LMS and in Studio.

    Other options and arguments are for pytest. The settings are the platform's own for tests: of this site only MongoDB
    is used, where the tests make databases of their own.
    """
    # Beside these, the clone has tests for sites of their own, and files that prepare those.
    pytest = f"python -m pytest --no-migrations --confcutdir={PLATFORM_TESTS}"
    arguments = shlex.join([PLATFORM_TESTS, *pytest_arguments])
    for each in [service] if service else ["lms", "cms"]:
        yield each, f"SERVICE_VARIANT={each} DJANGO_SETTINGS_MODULE={each}.envs.test {pytest} {arguments}"


hooks.Filters.CLI_DO_COMMANDS.add_item(ai_extensions_tests)


def in_python(value: Any) -> str:
    """A value of Tutor's configuration as a Python expression."""
    return f"json.loads({json.dumps(value)!r})"


def django_settings(*groups: dict[str, Any]) -> dict[str, Any]:
    """The settings of all groups, of which later ones win. Dictionaries are merged key by key.

    Raises:
        TutorError: one of them is no setting of openedx-ai-extensions. It may be a key, so its value is not told.
    """
    settings: dict[str, Any] = {}
    for name, value in (item for group in groups for item in (group or {}).items()):
        is_merged = isinstance(value, dict) and isinstance(settings.get(name), dict)
        settings[name] = {**settings[name], **value} if is_merged else value
    foreign = sorted(name for name in settings if not name.startswith(OURS) and name not in ALSO_OURS)
    if foreign:
        raise exceptions.TutorError(f"Not a setting of {PACKAGE}: {', '.join(foreign)}.")
    return settings


hooks.Filters.ENV_TEMPLATE_FILTERS.add_items(
    [("ai_extensions_python", in_python), ("ai_extensions_settings", django_settings)]
)

for patch in (HERE / "patches").iterdir():
    hooks.Filters.ENV_PATCHES.add_item((patch.name, patch.read_text(encoding="utf-8")))
    if patch.name == "openedx-dockerfile-post-python-requirements":
        # The requirements of development bring the old openai back.
        hooks.Filters.ENV_PATCHES.add_item(
            ("openedx-dev-dockerfile-post-python-requirements", patch.read_text(encoding="utf-8"))
        )


def superset_assets() -> Iterator[str]:
    """The YAML documents of the dashboard, each after what it refers to."""
    for folder in ("datasets", "charts", "dashboards"):
        for path in sorted((HERE / "aspects" / folder).iterdir(), key=lambda path: path.name):
            yield path.read_text(encoding="utf-8")


hooks.Filters.ENV_PATCHES.add_item(("superset-extra-assets", "".join(f"---\n{each}" for each in superset_assets())))
