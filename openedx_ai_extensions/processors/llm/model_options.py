"""What a profile may say of how a model answers: everything else about a request is the site's to decide.

LiteLLM takes hundreds of parameters of the same call. Some send the request to another company, with other headers or
without checking certificates; new ones come with each release. So this is a list of what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

MODEL_OPTIONS = frozenset({
    # How long, how free, how repetitive.
    "max_tokens", "max_completion_tokens", "max_output_tokens", "min_tokens", "num_predict", "temperature", "top_p",
    "top_k", "top_a", "min_p", "typical_p", "tfs_z", "mirostat", "mirostat_eta", "mirostat_tau", "seed", "random_seed",
    "stop", "stop_sequences", "presence_penalty", "frequency_penalty", "repetition_penalty", "repeat_penalty",
    "repeat_last_n", "logit_bias", "logprobs", "top_logprobs", "num_ctx",
    # How it thinks, and in which form it answers.
    "reasoning", "reasoning_effort", "reasoning_format", "include_reasoning", "thinking", "enable_thinking",
    "thinking_budget", "think", "chat_template_kwargs", "verbosity", "text", "response_format", "response_schema",
    "parallel_tool_calls", "prediction", "modalities", "truncation",
    # How a provider treats it.
    "service_tier", "safety_settings", "safe_prompt", "safe_mode", "web_search_options", "prompt_cache_retention",
})  # fmt: skip

# Names that tell of a misunderstanding which the person who saves should hear of as an error.
RESERVED_OPTION = re.compile(
    r"model|messages|stream|timeout|.*retries|mock_.*|api_.*|base_url|.*header.*|.*_key|.*token|.*secret.*|.*password.*"
    r"|aws_.*|azure_.*|vertex_.*|tools|tool_choice|functions|extra_body|.*fallback.*|cache|caching|.*provider.*"
    r"|organization|ssl_.*|client|.*proxy.*|mcp_.*|callbacks|n",
    re.IGNORECASE,
)


def not_for_models(options: Mapping[str, Any]) -> list[str]:
    """Names among a profile's options that do not reach any model."""
    return sorted(name for name in options if name not in MODEL_OPTIONS)
