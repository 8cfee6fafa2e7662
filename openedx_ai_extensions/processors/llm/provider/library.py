"""Imports LiteLLM at the first call, and applies all process-wide settings.

The import takes seconds and a hundred megabytes, so it must not happen at start-up.
"""

from __future__ import annotations

import logging
import os
import warnings
from functools import lru_cache, wraps
from types import ModuleType
from typing import Any

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
    _register_no_caches(litellm)
    # These warnings contain values of another type than LiteLLM declares: the words of people and models.
    warnings.filterwarnings("ignore", message="Pydantic serializer warnings", category=UserWarning)
    # Their log records contain addresses with keys, prompts and answers.
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    for name in ("httpx", "httpcore", "openai"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return litellm


def _register_no_caches(litellm: Any) -> None:
    """Each cache registers itself as a callback of all calls, which slows them down, and LiteLLM's module for Gemini
    creates one when it is imported. A site that caches with LiteLLM itself calls ``litellm.enable_cache``.
    """
    make = litellm.Cache.__init__

    @wraps(make)
    def make_unregistered(self: Any, *args: Any, **kwargs: Any) -> None:
        callbacks = (litellm.input_callback, litellm.success_callback, litellm._async_success_callback)
        before = [list(names) for names in callbacks]
        try:
            make(self, *args, **kwargs)
        finally:
            for names, kept in zip(callbacks, before, strict=True):
                names[:] = kept

    litellm.Cache.__init__ = make_unregistered
