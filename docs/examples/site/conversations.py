"""Providers, with what matters to conversations."""

import os

AI_EXTENSIONS = {
    # OpenAI without threads: nothing of a conversation is stored there.
    "default": {
        "MODEL": "openai/gpt-4.1-mini",
        "API_KEY": os.environ.get("OPENAI_API_KEY", ""),
        "CAPABILITIES": {"keeps_threads": False},
    },
    # A model that LiteLLM does not know: say how much it reads.
    "local": {
        "MODEL": "openai/any-name",
        "API_BASE": "http://127.0.0.1:8080/v1",
        "API_KEY": "none",
        "PROCESSOR": "Example University",
        "MAX_INPUT_TOKENS": 8_192,
    },
}

AI_EXTENSIONS_MAX_CONTEXT_MESSAGES = 20
AI_EXTENSIONS_MAX_TOOL_ROUNDS = 4
