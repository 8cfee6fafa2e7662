"""The plugin's URLs, mounted below ``/openedx-ai-extensions/``."""

from django.urls import include, path

app_name = "openedx_ai_extensions"

urlpatterns = [
    path("", include("openedx_ai_extensions.api.urls", namespace="api")),
    path("notice/", include("openedx_ai_extensions.console.notices", namespace="notices")),
    path("course/", include("openedx_ai_extensions.console.author.urls", namespace="author")),
]
