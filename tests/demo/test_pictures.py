"""The pictures of a course that the demo serves from an archive."""

import os
import subprocess
import sys
import tarfile

from tests.settings import REPO
from tests.waiting import PATIENCE

SCRIPT = r"""
import django

django.setup()
from django.test import Client
from openedx_ai_extensions.demo import settings
from openedx_ai_extensions.demo.courses import unpack_pictures

unpack_pictures(settings.COURSE, settings.PICTURES)
client = Client()
for name, status in (("leaf.svg", 200), ("my_leaf.png", 200), ("notes.txt", 404), ("html_sunlight.html", 404)):
    assert client.get(f"/static/{name}").status_code == status, name
print("fine")
"""


def test_the_pictures_of_an_archive_are_shown(tmp_path):
    archive = tmp_path / "course.tar.gz"
    picture = tmp_path / "picture"
    picture.write_bytes(b"\x89PNG")
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(REPO / "openedx_ai_extensions" / "demo" / "course", "course")
        tar.add(picture, "course/static/my leaf.png")
        tar.add(picture, "course/static/notes.txt")
    environment = {
        **os.environ,
        "AI_EXTENSIONS_DEMO_COURSE": str(archive),
        "AI_EXTENSIONS_DEMO_DIR": str(tmp_path / "data"),
        "DJANGO_SETTINGS_MODULE": "openedx_ai_extensions.demo.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.stdout == "fine\n", done.stderr
    assert sorted(file.name for file in (tmp_path / "data" / "pictures").iterdir()) == ["leaf.svg", "my_leaf.png"]
