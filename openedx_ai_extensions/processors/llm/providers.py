"""The site's LLM providers, and what each kind of provider can do."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from openedx_ai_extensions import conf
from openedx_ai_extensions.exceptions import LLMConfigError
from openedx_ai_extensions.workflows.trial import is_rehearsal

OPENAI = "https://api.openai.com/v1"
OPENAI_ADDRESSES = ("OPENAI_BASE_URL", "OPENAI_API_BASE")  # environment variables


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a kind of provider can do.

    Attributes:
        streams_usage: takes ``stream_options: {include_usage: true}``.
        plain_chunks: beneath LiteLLM's stream lies one whose chunks already have OpenAI's shape (``choices[0].delta``),
            so it can be read directly: a tenth of the cost, and a stream that was cut can be told from one that ended.
        keeps_threads: has OpenAI's Responses API and remembers conversations.
        runs_mcp: calls MCP servers itself, within such a thread.
        caches_marked_prefixes: caches a prompt up to a ``cache_control`` mark.
        structured_output: takes ``response_format`` with a JSON schema; others are told the form in words.
    """

    streams_usage: bool = True
    plain_chunks: bool = False
    keeps_threads: bool = False
    runs_mcp: bool = False
    caches_marked_prefixes: bool = False
    structured_output: bool = False


# By the part of the model's name before the slash, as LiteLLM names providers. An extension may add its own.
CAPABILITIES: dict[str, Capabilities] = {
    "openai": Capabilities(plain_chunks=True, keeps_threads=True, runs_mcp=True, structured_output=True),
    "azure": Capabilities(plain_chunks=True, keeps_threads=True, runs_mcp=True, structured_output=True),
    "anthropic": Capabilities(caches_marked_prefixes=True),
}
UNKNOWN = Capabilities()


@dataclass(frozen=True, slots=True)
class Provider:
    """One entry of the setting ``AI_EXTENSIONS``.

    Attributes:
        name: the entry's name.
        model: LiteLLM's name of the model, such as ``openai/gpt-4.1-mini``.
        parameters: everything else for LiteLLM, names in lower case.
    """

    name: str
    model: str
    parameters: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """LiteLLM's name of the provider."""
        kind, slash, _model = self.model.partition("/")
        return kind if slash else "openai"

    @property
    def fallbacks(self) -> Sequence[str]:
        """Names of the entries to ask in its place, for profiles that name none of their own."""
        return tuple(self.parameters.get("fallbacks") or ())

    @property
    def capabilities(self) -> Capabilities:
        """What its kind can do, unless the entry's own ``CAPABILITIES`` says otherwise."""
        capabilities = CAPABILITIES.get(self.kind, UNKNOWN)
        is_scripted = "mock_response" in self.parameters  # by LiteLLM itself, which remembers nothing
        if is_scripted or (self.kind == "openai" and not _is_openai(self.parameters)):
            # Servers that speak OpenAI's language seldom keep threads, and some drop a history without a word.
            capabilities = replace(capabilities, keeps_threads=False, runs_mcp=False)
        try:
            return replace(capabilities, **self.parameters.get("capabilities", {}))
        except TypeError:  # there is no such capability, or it is no dictionary
            raise LLMConfigError from None


# Who answers in a rehearsal, whatever the site has.
MOCK = Provider("mock", "mock/mock", {})


def _is_openai(parameters: Mapping[str, Any]) -> bool:
    """Does the address lead to OpenAI itself? LiteLLM takes it from any of these."""
    stated = (parameters.get("api_base"), parameters.get("base_url"), *map(os.environ.get, OPENAI_ADDRESSES))
    host = urlsplit(str(next(filter(None, stated), OPENAI))).hostname or ""
    return host == "openai.com" or host.endswith(".openai.com")


def find_provider(name: str) -> Provider:
    """The provider of that name; ``default`` is the entry so named, or else the first. In a rehearsal ``MOCK`` is all.

    Raises:
        LLMConfigError: the site has no such provider, or it has no model.
    """
    if is_rehearsal():
        return MOCK
    entries = conf.providers()
    if name == "default" and name not in entries:
        name = next(iter(entries), name)
    entry = entries.get(name)
    if entry is None:
        raise LLMConfigError
    parameters = {key.lower(): value for key, value in entry.items()}
    model = parameters.pop("model", None)
    if not model:
        raise LLMConfigError
    return Provider(name, model, parameters)
