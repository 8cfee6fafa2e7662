"""The versions of the REST API."""

from django.urls import include, path

app_name = "api"

urlpatterns = [path("v1/", include("openedx_ai_extensions.api.v1.urls", namespace="v1"))]
