"""What the demo's widgets say, by the names that their scripts know."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

WIDGET_TEXTS = {
    "answer": _("Answer"),
    "offline": _("The site could not be reached. Please try again."),
    "question": _("Your question"),
    "run": _("Ask the AI"),
    "stop": _("Stop"),
    "stopped": _("Stopped."),
    "working": _("The AI is working…"),
    # The chat
    "askTutor": _("Ask the tutor"),
    "checkAgain": _("Check again"),
    "close": _("Close"),
    "confirmStartOver": _("Start over? The tutor forgets this conversation, and you can't get it back."),
    "conversation": _("Conversation"),
    "cutOff": _("The answer broke off before its end."),
    "earlier": _("Show earlier messages"),
    "earlierShown": _("Earlier messages are shown above."),
    "failed": _("This got no answer."),
    "hint": _("Enter sends, Shift+Enter makes a new line. The tutor is an AI and can be wrong."),
    "keep": _("Keep it"),
    "message": _("Your message to the tutor"),
    "pending": _("Not answered yet."),
    "queued": _("This is sent when the tutor has answered."),
    "retry": _("Retry"),
    "send": _("Send"),
    "startOver": _("Start over"),
    "thinking": _("The tutor is thinking…"),
    "tutor": _("Tutor"),
    "you": _("You"),
    "toolFailed": _("That could not be looked up. Going on…"),
    "tools": {
        "get_context": _("Looking up where you are in the course…"),
        "get_course_info": _("Reading about the course…"),
        "get_location_content": _("Reading this part of the course…"),
        "get_location_link": _("Looking up a link…"),
        "roll_dice": _("Rolling dice…"),
        "": _("Looking something up…"),
    },
}
