"""The benchmarks are too slow to run here; what they import must exist."""

import ast
from importlib import import_module
from pathlib import Path

import pytest

BENCHMARKS = sorted((Path(__file__).parents[1] / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_imports_exist(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module.startswith(
            ("openedx_ai_extensions", "benchmarks", "tests")
        ):
            for alias in (alias for alias in node.names if alias.name != "*"):
                try:
                    import_module(f"{node.module}.{alias.name}")
                except ModuleNotFoundError:
                    assert hasattr(import_module(node.module), alias.name), f"{node.module} has no {alias.name}"
