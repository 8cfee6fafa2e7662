"""All models, where Django looks for them."""

from openedx_ai_extensions.ledger.models import AILimit, AIUsageByPerson, AIUsageByPlace, AIUsageTotal, AIWorkflowRun
from openedx_ai_extensions.policy.models import AIConsent, AINotice, AINoticeVersion, AIPause
from openedx_ai_extensions.prompts.models import PromptTemplate
from openedx_ai_extensions.workflows.admin_pages import AIHealth, AIModelView, AITryIt
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
    "PromptTemplate",
]
