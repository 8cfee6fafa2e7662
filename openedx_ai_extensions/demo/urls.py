"""URLs of the demo site."""

from django.conf import settings
from django.contrib import admin
from django.contrib.staticfiles.views import serve
from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from edx_django_utils.plugins import get_plugin_url_patterns

from openedx_ai_extensions.demo import views

urlpatterns = [
    path("", views.home, name="home"),
    path("login/<str:name>/", views.log_in, name="log_in"),
    path("logout/", views.log_out, name="log_out"),
    path("unit/<path:location>/", views.unit, name="unit"),
    path("embed/<path:location>/", views.embed, name="embed"),
    # The target of the platform's links to a location in a course.
    path("course/<str:course_id>/<path:location>", views.location, name="location"),
    # The target of the link to a saved collection, as in Studio.
    path("authoring/library/<str:library_id>/collection/<str:key>", views.collection, name="collection"),
    path("admin/", admin.site.urls),
    path("api/", SpectacularSwaggerSplitView.as_view(template_name="demo/rest.html"), name="rest"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    re_path(r"^static/(?P<path>.*)$", serve, {"insecure": True}),
    *get_plugin_url_patterns(settings.PROJECT_TYPE),
]
