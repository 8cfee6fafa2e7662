"""Names of our events and of their xAPI terms."""

EVENT_COMPLETED = "openedx.ai.workflow.completed"
EVENT_INITIALIZED = "openedx.ai.workflow.initialized"
EVENT_INTERACTED = "openedx.ai.workflow.interacted"
EVENT_RATED = "openedx.ai.workflow.rated"
EVENT_REPORTED = "openedx.ai.workflow.reported"
EVENTS = (EVENT_COMPLETED, EVENT_INITIALIZED, EVENT_INTERACTED, EVENT_RATED, EVENT_REPORTED)

# Names that other packages import.
EVENT_NAME_WORKFLOW_COMPLETED = EVENT_COMPLETED
EVENT_NAME_WORKFLOW_INITIALIZED = EVENT_INITIALIZED
EVENT_NAME_WORKFLOW_INTERACTED = EVENT_INTERACTED
ALL_EVENTS = EVENTS

VERB_COMPLETED = "http://adlnet.gov/expapi/verbs/completed"
VERB_INITIALIZED = "http://adlnet.gov/expapi/verbs/initialized"
VERB_INTERACTED = "http://adlnet.gov/expapi/verbs/interacted"

ACTIVITY_AI_WORKFLOW = "https://w3id.org/xapi/openedx/activity/ai-workflow"
ACTIVITY_AI_ANSWER = "https://w3id.org/xapi/openedx/activity/ai-answer"
ACTIVITY_DESCRIPTION = "AI-powered educational workflow"

_EXTENSION = "https://w3id.org/xapi/openedx/extension/"
EXTENSION_ACTION = f"{_EXTENSION}ai-workflow-action"
EXTENSION_PROMPT_TEMPLATE = f"{_EXTENSION}prompt-template-slug"
EXTENSION_LOCATION = f"{_EXTENSION}location-id"
EXTENSION_USAGE = f"{_EXTENSION}ai-usage"
EXTENSION_REASON = f"{_EXTENSION}ai-feedback-reason"
EXTENSION_VERSION = f"{_EXTENSION}ai-workflow-version"
