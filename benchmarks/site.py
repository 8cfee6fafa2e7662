"""The test site with a database of its own, for benchmarks that need one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import django


@contextlib.contextmanager
def test_site() -> Iterator[None]:
    """Set Django up on a fresh test database; destroy it at the end."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from django.conf import settings
    from django.test.utils import get_runner, setup_test_environment

    setup_test_environment(debug=False)
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        yield
    finally:
        runner.teardown_databases(databases)
