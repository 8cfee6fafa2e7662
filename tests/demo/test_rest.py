"""The demo's pages about its REST API: everything on them is the demo's own."""

import os
import subprocess
import sys

from tests.waiting import PATIENCE

SCRIPT = r"""
import re
import django

django.setup()
from django.test import Client

client = Client()
schema = client.get("/api/schema/")
assert (schema.status_code, schema["Content-Type"]) == (200, "application/vnd.oai.openapi; charset=utf-8"), schema
assert b"/openedx-ai-extensions/v1/workflows/:" in schema.content
page = client.get("/api/")
assert page.status_code == 200
text = page.content.decode()
assert "<script>" not in text and "style=" not in text
files = re.findall(r'(?:src|href)="([^"]*)"', text)
assert len(files) == 5, files
for file in files:
    if file != "data:,":
        assert file.startswith("/") and client.get(file).status_code == 200, file
print("fine")
"""


def test_the_pages_about_the_rest_api(tmp_path):
    environment = {
        **os.environ,
        "AI_EXTENSIONS_DEMO_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "openedx_ai_extensions.demo.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.stdout == "fine\n", done.stderr
