"""How Sphinx builds this documentation. Nothing here reaches for the network."""

import sys
from pathlib import Path

import django
from django.conf import settings

DOCS = Path(__file__).resolve().parent
REPO = DOCS.parent
sys.path[:0] = [str(REPO), str(DOCS / "_ext"), str(DOCS / "examples")]

from openedx_ai_extensions.api.v1.openapi.settings import SPECTACULAR  # noqa: E402  # its home is on the path now

# The code is imported to be described, so Django must be up: with the least that the app needs.
settings.configure(
    SPECTACULAR_SETTINGS=SPECTACULAR,
    SECRET_KEY="only-to-build-the-docs",  # noqa: S106  # signs nothing
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.admin",  # its log of changes
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "submissions",
        "openedx_ai_extensions",
    ],
)
django.setup()

from openedx_ai_extensions import __version__  # noqa: E402  # readable only now that its home is on the path

project = "Open edX AI extensions"
author = "the contributors"
copyright = "the contributors, under the Apache License 2.0"
version = release = __version__
language = "en"

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "from_code",
    "rest_description",
]
exclude_patterns = ["_build", "_ext", "examples"]
# An unknown setting, term or page is an error. Python names are not: most belong to libraries documented elsewhere.
nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r".*")]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "sphinx_book_theme"
html_title = "Open edX AI extensions"
html_theme_options = {"show_toc_level": 2, "use_download_button": False, "use_fullscreen_button": False}
html_copy_source = False
