"""Names of our events and of their xAPI terms."""

EVENT_COMPLETED = "openedx.ai.workflow.completed"
EVENTS = (EVENT_COMPLETED,)

VERB_COMPLETED = "http://adlnet.gov/expapi/verbs/completed"

ACTIVITY_AI_WORKFLOW = "https://w3id.org/xapi/openedx/activity/ai-workflow"

_EXTENSION = "https://w3id.org/xapi/openedx/extension/"
EXTENSION_ACTION = f"{_EXTENSION}ai-workflow-action"
EXTENSION_PROMPT_TEMPLATE = f"{_EXTENSION}prompt-template-slug"
EXTENSION_LOCATION = f"{_EXTENSION}location-id"
EXTENSION_USAGE = f"{_EXTENSION}ai-usage"
