"""A small LMS stand-in that loads the plugin through the real plugin manager.

``TEST_DATABASE=mariadb`` runs the same tests on MariaDB; ``TEST_CACHE=redis`` on Redis.
"""

import os
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from celery import Celery
from edx_django_utils.plugins import add_plugins, get_plugin_apps

REPO = Path(__file__).resolve().parent.parent
SERVICE_VARIANT = os.environ.get("SERVICE_VARIANT", "lms")
PROJECT_TYPE = f"{SERVICE_VARIANT}.djangoapp"

# xblocks-contrib is a plugin of the LMS too. Loading it, with SymPy and SciPy, takes each process three seconds, longer
# than all the rest. The one test that needs it imports it itself.
sys.modules.setdefault("xblocks_contrib", None)  # type: ignore[arg-type]  # as the import system has it

SECRET_KEY = "only-for-tests"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
ROOT_URLCONF = "tests.urls"
STATIC_URL = "/static/"
LMS_ROOT_URL = "http://lms.example.com"
LANGUAGE_CODE = "en"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "config_models",
    "celery_utils",
    "eventtracking.django",
    "submissions",
    *get_plugin_apps(PROJECT_TYPE),
]
MIDDLEWARE = [
    "edx_django_utils.cache.middleware.RequestCacheMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

if os.environ.get("TEST_DATABASE") == "mariadb":
    if find_spec("MySQLdb") is None:  # the platform's driver
        import pymysql

        pymysql.install_as_MySQLdb()
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.mysql",
            "NAME": os.environ.get("TEST_DATABASE_NAME", "openedx_ai_extensions"),  # another, to run beside
            "USER": "root",
            "HOST": "127.0.0.1",
            "ATOMIC_REQUESTS": True,
            "OPTIONS": {"charset": "utf8mb4", "isolation_level": "read committed"},
            "TEST": {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_unicode_ci"},
        }
    }
    MIGRATION_MODULES = {"submissions": "tests.fakes.submissions_migrations"}
else:
    # A file, not memory: threads and processes of a test must see the same data.
    _DATABASE = Path(tempfile.gettempdir()) / f"openedx_ai_extensions-{os.getpid()}.sqlite3"
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": _DATABASE,
            "ATOMIC_REQUESTS": True,
            "OPTIONS": {"timeout": 20},
            "TEST": {"NAME": _DATABASE},
        }
    }

# A database for each worker of a parallel run: one must not clear what another has just cached.
REDIS_URL = f"redis://127.0.0.1:6379/{9 + int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0')[2:])}"
if os.environ.get("TEST_CACHE") == "redis":
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": REDIS_URL,
            "KEY_PREFIX": SERVICE_VARIANT,
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "KEY_PREFIX": SERVICE_VARIANT}}

REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.SessionAuthentication"]}
JWT_AUTH = {
    "JWT_AUDIENCE": "tests",
    "JWT_ALGORITHM": "HS256",
    "JWT_SECRET_KEY": SECRET_KEY,
    "JWT_ISSUERS": [{"AUDIENCE": "tests", "ISSUER": LMS_ROOT_URL, "SECRET_KEY": SECRET_KEY}],
    "JWT_AUTH_HEADER_PREFIX": "JWT",
    "JWT_AUTH_COOKIE": "edx-jwt-cookie",
}

# Shared tasks, such as those that event routing delivers through, belong to the current Celery app.
CELERY_APP = Celery("tests")
CELERY_APP.config_from_object("django.conf:settings", namespace="CELERY")
CELERY_TASK_ALWAYS_EAGER = True

EVENT_TRACKING_ENABLED = True
# Event routing logs a traceback for each platform module that it looks for and that is not there.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "loggers": {"event_routing_backends.helpers": {"level": "CRITICAL"}},
}

# A test that counts queries must not be the one in whose middle this time is up.
AI_EXTENSIONS_RESOLUTION_MAX_AGE = 1_000_000_000

AI_EXTENSIONS_STANDALONE = {
    "COURSES": [
        {
            "path": REPO / "openedx_ai_extensions" / "demo" / "course",
            "staff": ["author"],
            "learners": ["learner"],
        }
    ]
}

add_plugins(__name__, PROJECT_TYPE, "common")
add_plugins(__name__, PROJECT_TYPE, "test")

# As on a site without a learning record store; the tests of delivery switch it on.
XAPI_EVENTS_ENABLED = False
