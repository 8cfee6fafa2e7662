"""Providers that stand in for each other, when to leave one alone, and answers that are kept."""

import os

AI_EXTENSIONS = {
    "default": {
        "MODEL": "openai/gpt-4.1-mini",
        "API_KEY": os.environ.get("OPENAI_API_KEY", ""),
        # Asked in this order when it fails.
        "FALLBACKS": ["claude", "local"],
    },
    "claude": {"MODEL": "anthropic/claude-haiku-4-5", "API_KEY": os.environ.get("ANTHROPIC_API_KEY", "")},
    "local": {
        "MODEL": "openai/any-name",
        "API_BASE": "http://127.0.0.1:8080/v1",
        "API_KEY": "none",
        "PROCESSOR": "Example University",
        "MAX_INPUT_TOKENS": 8_192,
    },
}

# After three failures within a minute a provider is left alone for twenty seconds.
AI_EXTENSIONS_CIRCUIT_BREAKER = {"FAILURES": 3, "WINDOW": 60, "COOLDOWN": 20}

AI_EXTENSIONS_ENABLE_LLM_CACHE = True
AI_EXTENSIONS_LLM_CACHE = {"type": "redis", "host": "redis", "port": 6379, "ttl": 900}
