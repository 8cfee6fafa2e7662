"""The page of each notice."""

from django.urls import path

from openedx_ai_extensions.console.notices.page import NoticePage

app_name = "notices"

# ``rules.consent`` names it.
urlpatterns = [path("<int:profile_id>/", NoticePage.as_view(), name="notice")]
