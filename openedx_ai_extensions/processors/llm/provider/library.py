"""Imports LiteLLM once, and applies all process-wide settings.

The import takes seconds and 135 MB. Web servers do it at start-up (see ``preload``), other processes at the first call.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import warnings
from collections.abc import Callable
from functools import lru_cache, wraps
from importlib import import_module
from types import ModuleType
from typing import Any

from django.utils.functional import SimpleLazyObject

from openedx_ai_extensions.processors.llm.provider import connections
from openedx_ai_extensions.processors.llm.provider.answer_reader import drop_impossible_counts

_loading = threading.RLock()
# Python's exit waits for an import in a daemon thread. Otherwise the thread would end with the import lock held, and
# LiteLLM's finalizers, which import modules, would wait for that lock forever.
atexit.register(_loading.acquire)


def warm_up() -> None:
    """Import LiteLLM, so that the first call does not wait for it."""
    litellm_module()


def litellm_module() -> ModuleType:
    """LiteLLM, configured, and imported with the modules that calls would import."""
    with _loading:
        return _load()


@lru_cache(maxsize=1)
def _load() -> ModuleType:
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
    _skip_unneeded_work(litellm)
    # These warnings contain values of another type than LiteLLM declares: the words of people and models.
    warnings.filterwarnings("ignore", message="Pydantic serializer warnings", category=UserWarning)
    # Their log records contain addresses with keys, prompts and answers.
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    for name in ("httpx", "httpcore", "openai"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("openai.resources", "litellm._service_logger"):
        import_module(name)
    providers = litellm.types.utils.LlmProviders
    litellm.ProviderConfigManager.get_provider_chat_config(model="", provider=providers.ANTHROPIC)
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


def _skip_unneeded_work(litellm: Any) -> None:
    """Skip, in our calls, work whose result we do not use: LiteLLM calculates a price for each answer, maps files and
    MCP servers of its own proxy, and checks errors for the proxy's guardrails. The first time, it imports the proxy,
    FastAPI and a tokenizer for that: more than a second and 80 MB.

    In each call, it starts an event loop to tell its service callbacks the duration, even if there are none. OpenAI's
    client looks for attributes with another name in JSON at each level of each message and tool, but the parameters of
    chat completions have none: 3 ms of a conversation with tools.
    """
    logging_module = import_module("litellm.litellm_core_utils.litellm_logging")
    responses = import_module("litellm.responses.main")
    _replace_in_our_calls(logging_module.Logging, "response_cost_calculator", lambda *_args, **_kwargs: None)
    _replace_in_our_calls(litellm.main, "update_messages_with_model_file_ids", lambda **given: given["messages"])
    _replace_in_our_calls(responses, "update_responses_input_with_model_file_ids", lambda **given: given["input"])
    _replace_in_our_calls(responses, "_responses_try_dispatch_mcp_gateway", lambda *_args, **_kwargs: None)
    _replace_in_our_calls(
        import_module("litellm.litellm_core_utils.exception_mapping_utils"), "_is_guardrail_block", lambda _error: False
    )
    _replace_in_our_calls(
        import_module("litellm._service_logger").ServiceLogging,
        "service_success_hook",
        lambda *_args, **_kwargs: None,
        unless=lambda: litellm.service_callback,
    )
    is_given = import_module("openai._utils").is_given
    _replace_in_our_calls(
        import_module("openai.resources.chat.completions.completions"),
        "maybe_transform",
        lambda parameters, _type: {name: value for name, value in parameters.items() if is_given(value)},
    )
    load_tokenizer = getattr(litellm.main, "_load_default_encoding", None)
    if load_tokenizer is not None:
        # Passed to the code of each provider, which uses it only if the provider reports no usage.
        litellm.main.encoding = SimpleLazyObject(load_tokenizer)


def _replace_in_our_calls(
    owner: Any, name: str, replacement: Callable[..., Any], *, unless: Callable[[], Any] = lambda: False
) -> None:
    """Replace a library's function in calls of this plugin, unless the condition is true at the time of the call. Other
    code of the process gets the original.
    """
    original = getattr(owner, name, None)
    if original is None:  # another version of LiteLLM
        return

    @wraps(original)
    def replaced(*args: Any, **kwargs: Any) -> Any:
        is_replaced = connections.is_calling() and not unless()
        return (replacement if is_replaced else original)(*args, **kwargs)

    setattr(owner, name, replaced)
