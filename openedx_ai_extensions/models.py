"""All models, where Django looks for them."""

from openedx_ai_extensions.accounting.models import AILimit, AIUsageTotal, AIWorkflowRun
from openedx_ai_extensions.accounting.usage_models import AIUsageByPerson, AIUsageByPlace
from openedx_ai_extensions.prompts.models import PromptTemplate
from openedx_ai_extensions.rules.models import AIConsent, AINotice, AINoticeVersion, AIPause
from openedx_ai_extensions.workflows.async_models import AIWorkflowAsyncRun
from openedx_ai_extensions.workflows.models import AIWorkflowProfile, AIWorkflowScope, AIWorkflowSession

__all__ = [
    "AIConsent",
    "AILimit",
    "AINotice",
    "AINoticeVersion",
    "AIPause",
    "AIUsageByPerson",
    "AIUsageByPlace",
    "AIUsageTotal",
    "AIWorkflowAsyncRun",
    "AIWorkflowProfile",
    "AIWorkflowRun",
    "AIWorkflowScope",
    "AIWorkflowSession",
    "PromptTemplate",
]
