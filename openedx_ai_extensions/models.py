"""All models, where Django looks for them, and proxy models for admin pages that list no rows.

Django needs a model for an entry in the admin's index and for permissions; the proxies are never queried.
"""

from django.utils.translation import gettext_lazy

from openedx_ai_extensions.feedback.models import AnswerFeedback
from openedx_ai_extensions.ledger.models import AILimit, AIUsageByPerson, AIUsageByPlace, AIUsageTotal, AIWorkflowRun
from openedx_ai_extensions.policy.models import AIConsent, AINotice, AINoticeVersion, AIPause
from openedx_ai_extensions.prompts.models import PromptTemplate
from openedx_ai_extensions.workflows.models import (
    AIWorkflowProfile,
    AIWorkflowProfileVersion,
    AIWorkflowScope,
    AIWorkflowSession,
)
from openedx_ai_extensions.workflows.session import AIWorkerLease, AIWorkflowAsyncRun

__all__ = [
    "AIConsent",
    "AIHealth",
    "AILimit",
    "AIModelView",
    "AINotice",
    "AINoticeVersion",
    "AIPause",
    "AITryIt",
    "AIUsageByPerson",
    "AIUsageByPlace",
    "AIUsageTotal",
    "AIWorkerLease",
    "AIWorkflowAsyncRun",
    "AIWorkflowProfile",
    "AIWorkflowProfileVersion",
    "AIWorkflowRun",
    "AIWorkflowScope",
    "AIWorkflowSession",
    "AnswerFeedback",
    "PromptTemplate",
]


class AITryIt(AIWorkflowProfile):
    """The page for dry runs of workflows."""

    class Meta:
        proxy = True
        default_permissions = ()
        permissions = (
            ("try_workflow", gettext_lazy("Can try AI workflows")),
            ("try_as_another", gettext_lazy("Can try AI workflows and read courses as another person")),
        )
        verbose_name = gettext_lazy("try a workflow")
        verbose_name_plural = gettext_lazy("try a workflow")


class AIModelView(AIWorkflowProfile):
    """The page that shows the course text that a model reads."""

    class Meta:
        proxy = True
        default_permissions = ()
        verbose_name = gettext_lazy("what would the model see?")
        verbose_name_plural = gettext_lazy("what would the model see?")


class AIHealth(AIWorkflowProfile):
    """The health page."""

    class Meta:
        proxy = True
        default_permissions = ()
        permissions = (("view_health", gettext_lazy("Can view the health page and test providers")),)
        verbose_name = gettext_lazy("health")
        verbose_name_plural = gettext_lazy("health")
