"""Every parameter that an entry of the setting ``AI_EXTENSIONS`` may have, and the options that a profile may set.

Most go to LiteLLM as they are. Some are ours, and some would take over what the plugin decides for each call: those are
refused. ``provider_entries`` reads entries by this table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from openedx_ai_extensions.core import setting_problems as problems
from openedx_ai_extensions.core.credential_forms import is_credential
from openedx_ai_extensions.core.portable import number_problem

Check = Callable[[Any], str | None]
NO_KEY = "must not be a key, which API_KEY is for: it is shown on pages and in the log"
SIMILAR = 0.9  # from 0 to 1: how alike two names of parameters are if one is a misspelling of the other


class Use(StrEnum):
    """What happens with a parameter."""

    OURS = "read by the plugin"
    SENT = "passed to LiteLLM"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, or several of one kind, that an entry may or may not have.

    Attributes:
        names: in lower case, the one that wins first; may have ``*`` in them.
        use: what happens with it.
        meaning: what it is for; of a refused one, what to do instead.
        problem: what is wrong with a value, in words that begin with "must"; None when nothing is.
        is_vital: an entry with a wrong value cannot be used: without it, requests would go somewhere else.
    """

    names: Sequence[str]
    use: Use
    meaning: str
    problem: Check = lambda value: None
    is_vital: bool = False


def text(value: Any) -> str | None:
    if not isinstance(value, str):
        return "must be a text"
    return None if value == value.strip() and value.isprintable() else "must not have spaces around it, nor line ends"


def name(value: Any) -> str | None:
    """Of a text that pages and the log show."""
    return NO_KEY if isinstance(value, str) and is_credential(value) else text(value)


def names(value: Any) -> str | None:
    return problems.texts(value) or (NO_KEY if any(map(is_credential, value)) else None)


def key(value: Any) -> str | None:
    is_other = isinstance(value, str) and not value.isascii()
    return "must be ASCII, without quotation marks of a text" if is_other else text(value)


def model_name(value: Any) -> str | None:
    is_name = isinstance(value, str) and value.isprintable() and value and " " not in value
    if is_name and is_credential(value):
        return NO_KEY
    return None if is_name else "must be a text such as 'openai/gpt-4.1-mini', without spaces"


def address(value: Any) -> str | None:
    try:
        url = urlsplit(value) if isinstance(value, str) else None
        is_address = url is not None and url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:
        is_address = False
    return (
        text(value)
        if is_address and " " not in value.strip()
        else "must be an address such as 'https://llm.example.org/v1'"
    )


def any_text(value: Any) -> str | None:
    return None if isinstance(value, str) else "must be a text"


def headers(value: Any) -> str | None:
    is_good = isinstance(value, Mapping) and not any(text(part) for pair in value.items() for part in pair)
    return None if is_good else "must be a dictionary of texts"


def dictionary(value: Any) -> str | None:
    return None if isinstance(value, Mapping) else "must be a dictionary"


def body(value: Any) -> str | None:
    if dictionary(value):
        return dictionary(value)
    taken = ", ".join(name for name in value if name in DECIDED_FIELDS)
    return f"must not have {taken}: the plugin decides it for each call" if taken else None


def number(value: Any) -> str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return None if is_number else "must be a number"


def prices(value: Any) -> str | None:
    wrong = f"must have INPUT and OUTPUT, and maybe CACHED_INPUT and CACHE_WRITE, each a number from 0 to {MAX_PRICE}"
    if not isinstance(value, Mapping):
        return wrong
    names = [str(name).lower() for name in value]
    if len(set(names)) < len(names) or not {"input", "output"} <= set(names) <= PRICE_NAMES:
        return wrong
    return None if all(map(_is_price, value.values())) else wrong


def _is_price(amount: Any) -> bool:
    is_number = isinstance(amount, int | float | Decimal) and not isinstance(amount, bool)
    return is_number and number_problem(amount) is None and 0 <= amount <= MAX_PRICE


def only_false(value: Any) -> str | None:
    return None if value is False else "must be False: what a provider may keep is in CAPABILITIES, keeps_threads"


# Of a request's body: what answers depend on that the plugin must understand.
DECIDED_FIELDS = frozenset(
    {"model", "messages", "input", "stream", "stream_options", "tools", "tool_choice", "functions", "function_call",
     "response_format", "n", "store", "previous_response_id"}
)  # fmt: skip
MAX_PRICE = 10**6  # of the site's currency
PRICE_NAMES = frozenset({"input", "output", "cached_input", "cache_write"})

# Parameters that would take over what the plugin decides, and what to do instead.
_REFUSED: Mapping[Sequence[str], str] = {
    ("messages", "input", "instructions", "prompt"):
        "The plugin sends the conversation; write a prompt into the profile.",
    ("stream", "stream_options"):
        "A profile says with 'stream' whether it streams; CAPABILITIES, streams_usage, says what the provider takes.",
    ("tools", "tool_choice", "functions", "function_call"):
        "A profile says with 'enabled_tools' and 'mcp_configs' what the model may call.",
    ("response_format", "text", "text_format"): "The plugin asks for data in the form that a workflow needs.",
    ("n", "best_of"): "A call has one answer: several would be mixed.",
    ("modalities", "audio"): "Answers are texts.",
    ("previous_response_id", "conversation", "background", "include", "response_id"):
        "The plugin keeps track of conversations at the provider.",
    ("max_output_tokens",): "Use MAX_TOKENS.",
    ("reasoning",): "Use REASONING_EFFORT.",
    ("truncation", "context_management", "extra_query"): "Chat completions do not know it.",
    ("after", "before", "limit", "order"): "The plugin says what it looks up at the provider.",
    ("force_timeout", "timeout_by_service_tier", "stream_timeout_by_service_tier"):
        "Use TOTAL_TIMEOUT and FIRST_BYTE_TIMEOUT.",
    ("retry_policy", "retry_strategy", "cooldown_time"): "Use MAX_RETRIES.",
    ("model_list", "model_alias_map", "context_window_fallback_dict", "routing_strategy"):
        "An entry has one model; name other entries in FALLBACKS.",
    ("rpm", "tpm", "itpm", "otpm", "max_parallel_requests", "max_budget", "budget_duration"):
        "Set AI_EXTENSIONS_LIMITS, or limits in the admin.",
    ("*_cost_per_*", "*_token_cost*", "cost_per_*", "tiered_pricing"): "Use PRICES.",
    ("cache", "caching", "cache_key", "preset_cache_key", "ttl"):
        "Use AI_EXTENSIONS_ENABLE_LLM_CACHE and AI_EXTENSIONS_LLM_CACHE.",
    ("client", "shared_session"): "The plugin keeps connections itself.",
    ("verbose", "logger_fn", "litellm_request_debug"): "It would write what people say, and keys, into the log.",
    ("prompt_id", "prompt_variables", "prompt_version", "prompt_label"): "Use prompt templates.",
    ("acompletion", "aresponses", "atext_completion", "text_completion", "async_call", "complete_response",
     "stream_response", "model_response", "completion_call_id", "litellm_call_id", "litellm_logging_obj", "self",
     "args", "kwargs", "_*"): "It is for LiteLLM's own use.",
}  # fmt: skip

PARAMETERS: Sequence[Parameter] = (
    Parameter(("model",), Use.OURS, "LiteLLM's name of the model, provider/model.", model_name),
    Parameter(
        ("base_model",), Use.OURS, "Which model this is, where MODEL names a deployment, as Azure's do.", model_name
    ),
    Parameter(
        ("total_timeout", "timeout", "request_timeout"),
        Use.OURS,
        "Seconds for a whole answer, retries included, in place of AI_EXTENSIONS_PROVIDER_DEFAULTS.",
        problems.positive_number,
    ),
    Parameter(
        ("first_byte_timeout", "stream_timeout"),
        Use.OURS,
        "Seconds until the first byte, and between two chunks of a stream, in place of "
        "AI_EXTENSIONS_PROVIDER_DEFAULTS.",
        problems.positive_number,
    ),
    Parameter(
        ("connect_timeout",),
        Use.OURS,
        "Seconds to reach the provider, in place of AI_EXTENSIONS_PROVIDER_DEFAULTS.",
        problems.positive_number,
    ),
    Parameter(
        ("max_retries", "num_retries"),
        Use.OURS,
        "How often a failed call is tried again, in place of AI_EXTENSIONS_PROVIDER_DEFAULTS.",
        problems.whole_number,
    ),
    Parameter(
        ("max_input_tokens",), Use.OURS, "How many tokens the model reads at most.", problems.positive_whole_number
    ),
    Parameter(("prices",), Use.OURS, "What a million tokens cost.", prices),
    Parameter(("fallbacks",), Use.OURS, "Names of the entries to ask when this one fails.", names),
    Parameter(("processor",), Use.OURS, "Who processes the data, as AI notices name them.", name),
    Parameter(("region",), Use.OURS, "Where it answers, for people to read in the AI notice.", name),
    Parameter(("capabilities",), Use.OURS, "What the provider can do, where it differs from others of its kind."),
    Parameter(
        ("store",), Use.OURS, "False: the provider is to keep no conversation, as keeps_threads: False.", only_false
    ),
    Parameter(("api_key",), Use.SENT, "The key.", key),
    Parameter(("api_base", "base_url"), Use.SENT, "The provider's address.", address, is_vital=True),
    Parameter(
        ("api_version", "organization", "deployment_id", "user"), Use.SENT, "As LiteLLM and the provider say.", name
    ),
    Parameter(("custom_llm_provider",), Use.SENT, "LiteLLM's name of the provider, where MODEL does not say it.", name),
    Parameter(("headers", "extra_headers"), Use.SENT, "HTTP headers to send with each request.", headers),
    Parameter(("extra_body",), Use.SENT, "Fields of the request that LiteLLM does not know.", body),
    Parameter(("metadata",), Use.SENT, "For LiteLLM's callbacks.", dictionary),
    Parameter(
        ("drop_params",),
        Use.SENT,
        "True: LiteLLM leaves out what the model does not support, instead of failing.",
        problems.true_or_false,
    ),
    Parameter(
        ("max_tokens", "max_completion_tokens"),
        Use.SENT,
        "How long an answer may be, unless a profile's options say.",
        problems.positive_whole_number,
    ),
    Parameter(
        ("temperature", "top_p", "presence_penalty", "frequency_penalty"),
        Use.SENT,
        "How the model chooses its words, unless a profile's options say.",
        number,
    ),
    Parameter(("mock_response",), Use.SENT, "LiteLLM answers with this text itself and asks no provider.", any_text),
    *(Parameter(names, Use.REFUSED, meaning) for names, meaning in _REFUSED.items()),
)  # fmt: skip

_BY_NAME: Mapping[str, Parameter] = {name: parameter for parameter in PARAMETERS for name in parameter.names}
_BY_PATTERN = {name: parameter for name, parameter in _BY_NAME.items() if "*" in name}
_ANY = Parameter((), Use.SENT, "Any other parameter of LiteLLM.")


@lru_cache(maxsize=512)
def parameter_named(name: str) -> Parameter:
    """What is known of a parameter, by its name in lower case; anything unknown is passed to LiteLLM."""
    known = _BY_NAME.get(name)
    return known or next((known for pattern, known in _BY_PATTERN.items() if fnmatchcase(name, pattern)), _ANY)


def similar_name(name: str) -> str | None:
    """The parameter that is meant, in lower case, if this unknown name is a misspelling of it."""
    if parameter_named(name) is not _ANY:
        return None
    known = {"".join(filter(str.isalnum, each)): each for each in _BY_NAME}
    found = get_close_matches("".join(filter(str.isalnum, name)), known, n=1, cutoff=SIMILAR)
    return known[found[0]] if found else None


@lru_cache(maxsize=512)
def is_sent(name: str) -> bool:
    """Does LiteLLM get a parameter of this name, in lower case?"""
    return parameter_named(name).use is Use.SENT


# The options that a profile may set for a model. An allow-list, because LiteLLM accepts hundreds of parameters in the
# same call, and each release adds more. Some of them redirect the request to another server, add headers or disable the
# verification of certificates.
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
