"""The endpoints that widgets call."""

from django.urls import path

from openedx_ai_extensions.api.v1 import views
from openedx_ai_extensions.api.v1.workflows import WorkflowView

app_name = "v1"

urlpatterns = [
    path("workflows/", WorkflowView.as_view(), name="aiext_workflows"),
    path("profile/", views.ProfileView.as_view(), name="aiext_ui_config"),
    path("consent/", views.ConsentView.as_view(), name="aiext_consent"),
    path("feedback/", views.FeedbackView.as_view(), name="aiext_feedback"),
    path("limits/", views.LimitsView.as_view(), name="aiext_limits"),
    path("profiles/", views.ProfileListView.as_view(), name="aiext_profiles_list"),
    path("course-text/", views.CourseTextView.as_view(), name="aiext_course_text"),
    path("prompts/<str:identifier>/", views.PromptView.as_view(), name="aiext_prompt_detail"),
]
