"""Imports LiteLLM at the first call, and applies all process-wide settings.

The import takes seconds and a hundred megabytes, so it must not happen at start-up.
"""

from __future__ import annotations

import logging
import os
import warnings
from functools import lru_cache
from types import ModuleType

from openedx_ai_extensions.processors.llm.provider import connections
from openedx_ai_extensions.processors.llm.provider.answer_reader import drop_impossible_counts


@lru_cache(maxsize=1)
def litellm_module() -> ModuleType:
    """LiteLLM, imported and configured."""
    # Must be set before the import: LiteLLM would fetch a price list and read .env files.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.disable_streaming_logging = True
    litellm.drop_params = False
    # Otherwise LiteLLM requests the tokenizer of Llama models from a hub at every call.
    litellm.disable_hf_tokenizer_download = True
    connections.install(litellm)
    drop_impossible_counts(litellm.types.utils.Usage)
    # These warnings contain values of another type than LiteLLM declares: the words of people and models.
    warnings.filterwarnings("ignore", message="Pydantic serializer warnings", category=UserWarning)
    # Their log records contain addresses with keys, prompts and answers.
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    for name in ("httpx", "httpcore", "openai"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return litellm
