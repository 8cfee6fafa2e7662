"""Moderators, and which of them look at what."""

import os

AI_EXTENSIONS = {
    "default": {"MODEL": "openai/gpt-4.1-mini", "API_KEY": os.environ.get("OPENAI_API_KEY", "")},
    # For the moderator below; no profile names it.
    "moderation": {"MODEL": "openai/omni-moderation-latest", "API_KEY": os.environ.get("OPENAI_API_KEY", "")},
}

AI_EXTENSIONS_MODERATION = {
    "MODERATORS": {
        "words": {"KIND": "words", "WORDS": ["darn", "exam answers"]},
        "openai": {"KIND": "provider", "PROVIDER": "moderation", "TIMEOUT": 5, "ON_FAILURE": "refuse"},
    },
    "BEFORE": ["words", "openai"],
    "AFTER": ["words"],
}
