"""What an operator may write. All of it is optional."""

import os
from pathlib import Path

from openedx_ai_extensions.core.conf import BUILT_IN_TEMPLATE_DIR

AI_EXTENSIONS = {
    "default": {"MODEL": "openai/gpt-4.1-mini", "API_KEY": os.environ.get("OPENAI_API_KEY", "")},
    "claude": {"MODEL": "anthropic/claude-haiku-4-5", "API_KEY": os.environ.get("ANTHROPIC_API_KEY", "")},
    # Any server that speaks OpenAI's chat completions: llama.cpp, Ollama, vLLM…
    "local": {
        "MODEL": "openai/any-name",
        "API_BASE": "http://127.0.0.1:8080/v1",
        "API_KEY": "none",
        "PROCESSOR": "Example University",
    },
}

# A directory of your own goes first: the first directory that has a template wins.
WORKFLOW_TEMPLATE_DIRS = [Path("/openedx/ai-templates"), BUILT_IN_TEMPLATE_DIR]

OPENEDX_AI_EXTENSIONS_UI_SLOT_IDS = ["unit-summary"]
AI_EXTENSIONS_MAX_INPUT_CHARS = 5_000
AI_EXTENSIONS_PROVIDER_DEFAULTS = {"TIMEOUT": 60}
