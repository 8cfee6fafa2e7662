"""All models, where Django looks for them."""

from openedx_ai_extensions.accounting.models import AILimit, AIUsageTotal, AIWorkflowRun
from openedx_ai_extensions.accounting.usage_models import AIUsageByPerson, AIUsageByPlace
from openedx_ai_extensions.prompts.models import PromptTemplate
from openedx_ai_extensions.rules.models import AIConsent, AINotice, AINoticeVersion, AIPause
from openedx_ai_extensions.workflows.async_models import AIWorkerLease, AIWorkflowAsyncRun
from openedx_ai_extensions.workflows.models import (
    AIWorkflowProfile,
    AIWorkflowProfileVersion,
    AIWorkflowScope,
    AIWorkflowSession,
)
from openedx_ai_extensions.workflows.pages import AIHealth, AIModelView, AITryIt

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
