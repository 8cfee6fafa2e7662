"""LiteLLM, imported at the first call, and all that we set in it for the whole process.

The import takes seconds and a hundred megabytes, so start-up does without it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from functools import lru_cache, wraps
from types import ModuleType
from typing import Any

from openedx_ai_extensions.processors.llm.provider import connections, fields


@lru_cache(maxsize=1)
def litellm_module() -> ModuleType:
    """LiteLLM, ready for use."""
    # Both must be set before the import: else it fetches a price list and reads .env files.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    os.environ.setdefault("LITELLM_MODE", "PRODUCTION")
    import litellm

    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.disable_streaming_logging = True
    litellm.drop_params = False
    # Else it asks a model hub for the tokenizer of a Llama, at every call.
    litellm.disable_hf_tokenizer_download = True
    connections.install(litellm)
    _drop_impossible_counts(litellm.types.utils.Usage)
    # Their records hold addresses with keys, prompts and answers.
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    for name in ("httpx", "httpcore", "openai"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return litellm


def _drop_impossible_counts(usage: Any) -> None:
    """Have LiteLLM's class of token counts leave out those that cannot be true, such as negative numbers or fractions:
    otherwise a single one fails the whole answer.
    """
    original_init = usage.__init__

    @wraps(original_init)
    def init_without_impossible_counts(self: Any, *args: Any, **kwargs: Any) -> None:
        original_init(self, *args, **{name: _without_impossible(name, value) for name, value in kwargs.items()})

    usage.__init__ = init_without_impossible_counts


def _without_impossible(name: str, value: Any) -> Any:
    """The value of a field of the usage, with None in place of every count of tokens that cannot be true."""
    if name.endswith("_tokens"):
        return fields.count(value)
    if isinstance(value, Mapping):
        return {inner: _without_impossible(inner, each) for inner, each in value.items()}
    return value


def skip_bookkeeping(litellm: ModuleType) -> None:
    """Spare a call the records that LiteLLM gathers for callbacks, when the site has none.

    The mark is LiteLLM's own, for calls that it makes itself. It lives in the context of this thread, which is ours and
    ends with the call.
    """
    context = getattr(litellm, "_internal_context", None)
    if context is not None and not (litellm.callbacks or litellm.success_callback):
        context.is_internal_call.set(True)


def mark_as_streaming(litellm: ModuleType, model: str, kind: str) -> None:
    """Tell LiteLLM that a model unknown to it can stream over the Responses API: else it waits for the whole answer,
    and plays a stream.
    """
    name = model if "/" in model else f"{kind}/{model}"
    if name not in litellm.model_cost and name.partition("/")[2] not in litellm.model_cost:
        litellm.register_model({name: {"litellm_provider": kind, "supports_native_streaming": True}})
