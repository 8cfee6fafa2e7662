"""All models, where Django looks for them."""

from openedx_ai_extensions.prompts.models import PromptTemplate
from openedx_ai_extensions.workflows.async_models import AIWorkflowAsyncRun
from openedx_ai_extensions.workflows.models import AIWorkflowProfile, AIWorkflowScope, AIWorkflowSession

__all__ = ["AIWorkflowAsyncRun", "AIWorkflowProfile", "AIWorkflowScope", "AIWorkflowSession", "PromptTemplate"]
