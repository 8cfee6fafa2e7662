"""The endpoints that widgets call."""

from django.urls import path

from openedx_ai_extensions.api.v1.views import (
    ConsentView,
    CourseTextView,
    LimitsView,
    ProfileListView,
    ProfileView,
    PromptView,
)
from openedx_ai_extensions.api.v1.workflows import WorkflowView

app_name = "v1"

urlpatterns = [
    path("workflows/", WorkflowView.as_view(), name="aiext_workflows"),
    path("profile/", ProfileView.as_view(), name="aiext_ui_config"),
    path("consent/", ConsentView.as_view(), name="aiext_consent"),
    path("limits/", LimitsView.as_view(), name="aiext_limits"),
    path("profiles/", ProfileListView.as_view(), name="aiext_profiles_list"),
    path("course-text/", CourseTextView.as_view(), name="aiext_course_text"),
    path("prompts/<str:identifier>/", PromptView.as_view(), name="aiext_prompt_detail"),
]
