"""Settings of the demo site, which loads the plugin as the LMS does."""

import os
from pathlib import Path

from celery import Celery
from edx_django_utils.plugins import add_plugins, get_plugin_apps

from openedx_ai_extensions.api.v1.openapi.settings import SPECTACULAR
from openedx_ai_extensions.core.conf import BUILT_IN_TEMPLATE_DIR
from openedx_ai_extensions.demo.library import LIBRARY_ID
from openedx_ai_extensions.demo.providers import choose

HERE = Path(__file__).resolve().parent
# The profiles of the small model are too short for other models, so it has data of its own.
_DEFAULT_DIR = ".demo/local-model" if choose(os.environ).is_local else ".demo"
DATA_DIR = Path(os.environ.get("AI_EXTENSIONS_DEMO_DIR") or _DEFAULT_DIR).resolve()
DATA_DIR.mkdir(parents=True, exist_ok=True)
# An export of somebody's own course, in place of the demo course.
COURSE = Path(os.environ.get("AI_EXTENSIONS_DEMO_COURSE") or HERE / "course").resolve()
SITE_TEMPLATES = HERE.parent.parent / "templates"

SERVICE_VARIANT = "lms"
PROJECT_TYPE = "lms.djangoapp"
# The demo listens on this machine only, and has no data of real people.
SECRET_KEY = "demo-on-loopback-only"  # noqa: S105  # guards nothing of value
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español"), ("ar", "العربية")]
ROOT_URLCONF = "openedx_ai_extensions.demo.urls"
LMS_ROOT_URL = "http://localhost:8000"
# The address of the demo's server; unset on the command line.
LEARNING_MICROFRONTEND_URL = os.environ.get("AI_EXTENSIONS_DEMO_URL")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "/"
STATIC_URL = "/static/"
# The course's pictures. Those of an archive are unpacked when the demo starts.
PICTURES = COURSE / "static" if COURSE.is_dir() else DATA_DIR / "pictures"
PICTURES.mkdir(parents=True, exist_ok=True)
STATICFILES_DIRS = [HERE / "static", PICTURES]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "config_models",
    "celery_utils",
    "eventtracking.django",
    "submissions",
    *get_plugin_apps(PROJECT_TYPE),
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "openedx_ai_extensions.demo.timezone.browser_timezone",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [HERE / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "openedx_ai_extensions.demo.views.note",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA_DIR / "demo.sqlite3",
        "ATOMIC_REQUESTS": True,
        # So that requests that read and then write wait while the worker writes.
        "OPTIONS": {"timeout": 20, "transaction_mode": "IMMEDIATE"},
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"]}
JWT_AUTH = {
    "JWT_AUDIENCE": "demo",
    "JWT_ALGORITHM": "HS256",
    "JWT_SECRET_KEY": SECRET_KEY,
    "JWT_ISSUERS": [{"AUDIENCE": "demo", "ISSUER": LMS_ROOT_URL, "SECRET_KEY": SECRET_KEY}],
}
# The description of the endpoints, shown without files from other sites.
SPECTACULAR_SETTINGS = {**SPECTACULAR, "SWAGGER_UI_DIST": "SIDECAR"}
# Background runs: by a worker in the server's process; on the command line, immediately.
CELERY_BROKER_URL = "memory://localhost/"
CELERY_TASK_ALWAYS_EAGER = LEARNING_MICROFRONTEND_URL is None
CELERY_APP = Celery("demo")
CELERY_APP.set_default()  # for the server's threads too
CELERY_APP.config_from_object("django.conf:settings", namespace="CELERY")
# Log only warnings and errors.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"short": {"format": "{levelname}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "short"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        # It logs at length that it is outside of the platform.
        "event_routing_backends": {"level": "CRITICAL"},
        "edx_django_utils.monitoring": {"level": "ERROR"},
        "django.server": {"level": "ERROR", "handlers": ["console"], "propagate": False},
    },
}

AI_EXTENSIONS = choose(os.environ).providers
AI_EXTENSIONS_STANDALONE = {
    "COURSES": [{"path": COURSE, "staff": ["author"], "learners": ["learner"]}],
    "LIBRARIES": {LIBRARY_ID: {"path": DATA_DIR / "library", "editors": ["author"]}},
}
# A checkout also has templates of the site.
WORKFLOW_TEMPLATE_DIRS = [BUILT_IN_TEMPLATE_DIR, *([SITE_TEMPLATES] if SITE_TEMPLATES.is_dir() else [])]
OPENEDX_AI_EXTENSIONS_UI_SLOT_IDS = [
    "unit-summary", "unit-simple", "unit-ask", "unit-flashcards", "unit-quiz", "unit-chat",
]  # fmt: skip

add_plugins(__name__, PROJECT_TYPE, "common")
# The demo has no receiver for events.
EVENT_TRACKING_ENABLED = False
