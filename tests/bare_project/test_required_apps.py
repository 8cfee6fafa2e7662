"""An app that is missing from ``INSTALLED_APPS`` is named by ``manage.py check``, and not by a traceback."""

import pytest

from openedx_ai_extensions.console.required_apps import REQUIRED_APPS
from tests.bare_project.project import Project

OURS = "openedx_ai_extensions"
URLS = """
from django.urls import include, path

urlpatterns = [path("openedx-ai-extensions/", include("openedx_ai_extensions.urls"))]
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """One that has the app and what it needs; each test leaves something out."""
    project = Project.start(tmp_path_factory.mktemp("project"))
    for app in ("rest_framework", "submissions", OURS):
        project.add("mysite/settings.py", f'INSTALLED_APPS += ["{app}"]\n')
    project.add("mysite/settings.py", 'AI_EXTENSIONS = {"default": {"MODEL": "openai/none"}}\n')
    project.add("mysite/urls.py", URLS)
    return project


def checked(project, name, change):
    """What ``check`` says with a change of the settings."""
    project.add(f"mysite/{name}.py", f"from mysite.settings import *\n{change}\n")
    return project.manage("check", settings=f"mysite.{name}")


def test_a_project_that_has_all_of_them_hears_of_none(project):
    done = checked(project, "whole", "")
    assert done.returncode == 0, done.stderr
    assert f"{OURS}.E007" not in done.stderr


@pytest.mark.parametrize("missing", ["django.contrib.admin", "submissions"])
def test_the_app_that_is_missing_is_named_in_an_error_and_its_hint(project, missing):
    name = f"without_{missing.rpartition('.')[2]}"
    urls = "" if missing != "django.contrib.admin" else 'ROOT_URLCONF = "mysite.without_admin_urls"'
    project.add("mysite/without_admin_urls.py", URLS)
    done = checked(project, name, f"INSTALLED_APPS.remove('{missing}')\n{urls}")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (error,) = [line for line in done.stderr.splitlines() if f"({OURS}.E007)" in line]
    assert f"{missing} is not in INSTALLED_APPS" in error
    assert f'HINT: Add "{missing}"' in done.stderr
    assert f"setup.apps_missing apps={missing}" in done.stderr


def test_rest_framework_may_be_missing(project):
    assert f"{OURS}.E007" not in checked(project, "without_drf", "INSTALLED_APPS.remove('rest_framework')").stderr


def test_a_project_that_lacks_everything_hears_it_at_once(project):
    project.add("mysite/bare_urls.py", URLS)
    done = checked(project, "nothing", 'INSTALLED_APPS = ["openedx_ai_extensions"]\nROOT_URLCONF = "mysite.bare_urls"')
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.count(f"({OURS}.E007)") == len(REQUIRED_APPS)


def test_without_them_the_project_starts_but_has_none_of_our_addresses(project):
    project.add("mysite/alone.py", "from mysite.settings import *\nINSTALLED_APPS.remove('submissions')\n")
    code = "import django; django.setup(); from django.urls import get_resolver; "
    code += "print([str(each.pattern) for each in get_resolver().url_patterns[0].url_patterns])"
    done = project.run("-c", code, DJANGO_SETTINGS_MODULE="mysite.alone")
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
    assert "setup.apps_missing apps=submissions" in done.stderr


def test_a_project_without_a_broker_is_warned(project):
    done = checked(project, "no_broker", "")
    assert f"({OURS}.W008) Celery has no broker" in done.stderr


def test_a_project_with_a_broker_is_not(project):
    celery = 'from celery import Celery\nCelery("mysite", broker="memory://").set_default()'
    assert f"{OURS}.W008" not in checked(project, "broker", celery).stderr
    eager = 'from celery import Celery\nCelery("mysite", task_always_eager=True).set_default()'
    assert f"{OURS}.W008" not in checked(project, "eager", eager).stderr
