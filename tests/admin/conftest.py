"""People in the admin, and what they find there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.workflows.template_utils import load_template
from tests.admin.pages import Admin


@pytest.fixture
def admin(admin_user) -> Admin:
    return Admin(admin_user)


@pytest.fixture
def staff_with(db) -> Callable[..., Admin]:
    """A member of staff with these permissions and no others."""

    def make(*codenames: str) -> Admin:
        user = get_user_model().objects.create_user("clerk", "clerk@example.com", "clerk", is_staff=True)
        permissions = Permission.objects.filter(content_type__app_label="openedx_ai_extensions", codename__in=codenames)
        assert len(permissions) == len(codenames)
        user.user_permissions.set(permissions)
        return Admin(user)

    return make


@pytest.fixture
def site_templates(settings, tmp_path) -> Path:
    """A template directory of the test's own, before the site's others."""
    settings.WORKFLOW_TEMPLATE_DIRS = [tmp_path, *conf.get("WORKFLOW_TEMPLATE_DIRS")]
    return tmp_path


@pytest.fixture
def broken_profile(make_scope, site_templates):
    """A profile whose template was removed after it was saved; a scope uses it."""
    template = site_templates / "gone.json5"
    template.write_text(json.dumps(load_template("base/summary.json5")), "utf-8")
    profile = make_scope(slug="broken", base_filepath="gone.json5", slot="broken-slot").profile
    template.unlink()
    return profile
