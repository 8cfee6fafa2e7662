"""The options that a profile may set for a model.

This is an allow-list, because LiteLLM accepts hundreds of parameters in the same call, and each release adds more. Some
of them redirect the request to another server, add headers or disable the verification of certificates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MODEL_OPTIONS = frozenset({
    # Length, randomness, repetition.
    "max_tokens", "max_completion_tokens", "max_output_tokens", "min_tokens", "num_predict", "temperature", "top_p",
    "top_k", "top_a", "min_p", "typical_p", "tfs_z", "mirostat", "mirostat_eta", "mirostat_tau", "seed", "random_seed",
    "stop", "stop_sequences", "presence_penalty", "frequency_penalty", "repetition_penalty", "repeat_penalty",
    "repeat_last_n", "logit_bias", "logprobs", "top_logprobs", "num_ctx",
    # Reasoning, and the format of the answer.
    "reasoning", "reasoning_effort", "reasoning_format", "include_reasoning", "thinking", "enable_thinking",
    "thinking_budget", "think", "chat_template_kwargs", "verbosity", "text", "response_format", "response_schema",
    "parallel_tool_calls", "prediction", "modalities", "truncation",
    # Treatment by the provider.
    "service_tier", "safety_settings", "safe_prompt", "safe_mode", "web_search_options", "prompt_cache_retention",
})  # fmt: skip

# Names that indicate a misunderstanding; they are errors when a profile is saved.
RESERVED_OPTION = re.compile(
    r"model|messages|stream|timeout|.*retries|mock_.*|api_.*|base_url|.*header.*|.*_key|.*token|.*secret.*|.*password.*"
    r"|aws_.*|azure_.*|vertex_.*|tools|tool_choice|functions|extra_body|.*fallback.*|cache|caching|.*provider.*"
    r"|organization|ssl_.*|client|.*proxy.*|mcp_.*|callbacks|n",
    re.IGNORECASE,
)


def not_for_models(options: Mapping[str, Any]) -> list[str]:
    """The options of a profile that are not sent to any model."""
    return sorted(name for name in options if name not in MODEL_OPTIONS)
