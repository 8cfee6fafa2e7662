"""The plugin's URLs, mounted below ``/openedx-ai-extensions/``."""

from django.urls import URLPattern, URLResolver, include, path

from openedx_ai_extensions.console.required_apps import missing_apps

app_name = "openedx_ai_extensions"

urlpatterns: list[URLPattern | URLResolver] = []
if not missing_apps():  # otherwise the views cannot be imported, and a check says why
    urlpatterns += [
        path("", include("openedx_ai_extensions.api.urls", namespace="api")),
        path("notice/", include("openedx_ai_extensions.console.notices", namespace="notices")),
        path("course/", include("openedx_ai_extensions.console.author.urls", namespace="author")),
    ]
