"""Collects the tests of this directory inside the LMS or Studio only, and supplies what the platform's own suite does.

Everywhere else each file is skipped, with the reason. The platform's factories and test case classes are imported at
the top of the test files; nothing here may import the platform.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

_PLATFORM = {"lms.urls": "lms", "cms.urls": "cms"}
# The service that this process is: "lms", "cms", or None outside of the platform.
SERVICE = _PLATFORM.get(getattr(settings, "ROOT_URLCONF", "")) if settings.configured else None
_REASON = (
    "runs inside the LMS or Studio only (DJANGO_SETTINGS_MODULE=lms.envs.test or cms.envs.test); "
    "docs/operators/platform.rst says how"
)


class _OutsideOfThePlatform(pytest.Module):
    """A test file that is not imported: its imports would fail."""

    def collect(self) -> Iterator[pytest.Item]:
        pytest.skip(_REASON, allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    if SERVICE is not None or not module_path.is_relative_to(Path(__file__).parent):
        return None
    return _OutsideOfThePlatform.from_parent(parent, path=module_path)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "lms: learners' half of the platform; skipped in Studio")
    config.addinivalue_line("markers", "studio: authors' half of the platform; skipped in the LMS")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker, service in (("lms", "lms"), ("studio", "cms")):
            if SERVICE is not None and service != SERVICE and item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=f"{marker} only; this is {SERVICE}"))


if SERVICE is not None:

    @pytest.fixture(autouse=True)
    def _django_clear_site_cache() -> None:
        """Overrides pytest-django's: clearing the cache of sites breaks the platform's site configuration."""

    @pytest.fixture(autouse=True)
    def _no_compiled_assets(monkeypatch: pytest.MonkeyPatch) -> None:
        """Pages render without the JavaScript bundles, which tests do not build."""
        monkeypatch.setattr("webpack_loader.templatetags.webpack_loader.render_bundle", lambda *args, **kwargs: "")
        monkeypatch.setattr("webpack_loader.utils.get_as_tags", lambda *args, **kwargs: [])
        monkeypatch.setattr("webpack_loader.utils.get_files", lambda *args, **kwargs: [])

    @pytest.fixture(autouse=True)
    def _new_request() -> Iterator[None]:
        """A test begins as a request does: without what an earlier one left in the thread's request cache."""
        from edx_django_utils.cache import RequestCache

        RequestCache.clear_all_namespaces()
        yield
        RequestCache.clear_all_namespaces()
