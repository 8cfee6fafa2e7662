"""The page about Django projects without Open edX is followed to the letter, and ends with a summary."""

import json
import tarfile

import pytest

from openedx_ai_extensions.core import conf
from tests.bare_project.project import Project
from tests.docs.blocks import blocks
from tests.fakes.provider import FakeProvider

COURSE = conf.PACKAGE_DIR / "demo" / "course"
# A comment in the first line of each block says where it goes.
FILES = {
    "# At the end of mysite/settings.py": "mysite/settings.py",
    "# mysite/urls.py": "mysite/urls.py",
    "# mysite/celery.py": "mysite/celery.py",
    "# mysite/__init__.py": "mysite/__init__.py",
    "<!-- templates/lesson.html": "templates/lesson.html",
}
SHELL = "# For manage.py shell"
# Beside what the page says: the test's own provider, and the directory that the page leaves to the reader.
SETTINGS = """
from mysite.settings import *

AI_EXTENSIONS["default"] |= {{"API_BASE": "{url}", "API_KEY": "only-for-tests"}}
TEMPLATES[0]["DIRS"] = [BASE_DIR / "templates"]
ALLOWED_HOSTS = ["testserver"]
CELERY_BROKER_URL = "redis://127.0.0.1:1/0"
"""
LEARNER = """
import json
from urllib.parse import urlencode

from django.contrib.auth import get_user_model
from django.test import Client

learner = get_user_model().objects.create_user("ben")
client = Client(enforce_csrf_checks=True)
client.force_login(learner)
page = client.get("/lesson/").content.decode()
token = client.cookies["csrftoken"].value
unit = page.partition('location-id="')[2].partition('"')[0]
course = page.partition('course-id="')[2].partition('"')[0]

def address(endpoint, slot):
    context = {"courseId": course, "locationId": unit, "uiSlotSelectorId": slot}
    return f"/openedx-ai-extensions/v1/{endpoint}/?{urlencode({'context': json.dumps(context)})}"

def post(slot, action, user_input=None):
    answer = client.post(address("workflows", slot), {"action": action, "user_input": user_input},
                         content_type="application/json", headers={"X-CSRFToken": token, "Accept": "application/json"})
    return [answer.status_code, answer.json()]

print(json.dumps({
    "page": page,
    "widget": client.get(address("profile", "unit-summary")).json(),
    "summary": post("unit-summary", "run"),
    "background": post("unit-flashcards", "run_async", {"num_cards": 3}),
}))
"""
FLASHCARDS = """
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope

profile = AIWorkflowProfile.objects.create(slug="flashcards", base_filepath="base/flashcards.json5")
AIWorkflowScope.objects.create(profile=profile, ui_slot_selector_id="unit-flashcards")
"""


@pytest.fixture(scope="module")
def page():
    """The text of each block with code, by its first line."""
    found = [block.text for block in blocks("python", "html") if block.place.startswith("outside:")]
    return {text.partition("\n")[0]: text for text in found}


@pytest.fixture(scope="module")
def project(page, tmp_path_factory):
    """The project that the page describes, with its tables."""
    project = Project.start(tmp_path_factory.mktemp("project"))
    for start, name in FILES.items():
        (text,) = [text for line, text in page.items() if line.startswith(start)]
        project.add(name, text)
    with tarfile.open(project.path / "course.tar.gz", "w:gz") as archive:
        archive.add(COURSE, arcname="course")
    manage(project, "migrate")
    return project


def manage(project, *arguments, text="", settings="mysite.settings"):
    done = project.manage(*arguments, text=text, settings=settings)
    assert done.returncode == 0, done.stderr
    return done


def test_who_follows_the_page_gets_a_summary(project, page):
    checked = manage(project, "check")
    assert "openedx_ai_extensions." not in checked.stderr
    manage(project, "shell", text=page[SHELL])
    with FakeProvider() as provider:
        provider.reply("Plants make sugar from light.")
        project.add("mysite/with_provider.py", SETTINGS.format(url=provider.base_url))
        manage(project, "shell", text=FLASHCARDS)
        done = manage(project, "shell", "-c", LEARNER, settings="mysite.with_provider")
    seen = json.loads(done.stdout.splitlines()[-1])
    assert '<script type="module" src="/static/openedx_ai_extensions/widget.js"></script>' in seen["page"]
    assert seen["widget"]["ui_components"]["request"]["component"] == "AIRequestComponent"
    status, summary = seen["summary"]
    assert (status, summary.get("response", done.stderr)) == (200, "Plants make sugar from light.")
    assert "carbon dioxide" in json.dumps(provider.requests[0]["messages"])
    status, refused = seen["background"]
    assert (status, refused["error"]["code"]) == (503, "service_unavailable")
    assert "not available at the moment" in refused["error"]["message"]


def test_an_account_is_closed_as_the_page_says(project, page):
    (code,) = [text for line, text in page.items() if line.startswith("# Where your project closes")]
    code += """
from django.contrib.auth import get_user_model
close_account(get_user_model().objects.create_user("chiara"))
print("left:", get_user_model().objects.filter(username="chiara").count())
"""
    assert "left: 0" in manage(project, "shell", "-c", code).stdout


def test_health_names_a_broker_that_is_not_there(project):
    project.add("mysite/no_broker.py", "from mysite.settings import *\nCELERY_BROKER_URL = 'redis://127.0.0.1:1/0'\n")
    done = project.manage("ai_health", settings="mysite.no_broker")
    assert "The broker cannot be reached" in done.stdout


def test_the_page_has_no_block_that_is_not_tried(page):
    assert len(page) == len(FILES) + 2
