"""The site's LLM providers, and what each kind of provider can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openedx_ai_extensions import conf
from openedx_ai_extensions.exceptions import LLMConfigError


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a kind of provider can do.

    Attributes:
        streams_usage: takes ``stream_options: {include_usage: true}``.
        plain_chunks: beneath LiteLLM's stream lies one whose chunks already have OpenAI's shape (``choices[0].delta``),
            so it can be read directly: a tenth of the cost, and a stream that was cut can be told from one that ended.
    """

    streams_usage: bool = True
    plain_chunks: bool = False


# By the part of the model's name before the slash, as LiteLLM names providers.
CAPABILITIES: Mapping[str, Capabilities] = {
    "openai": Capabilities(plain_chunks=True),
    "azure": Capabilities(plain_chunks=True),
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
    def capabilities(self) -> Capabilities:
        kind, slash, _model = self.model.partition("/")
        return CAPABILITIES.get(kind if slash else "openai", UNKNOWN)


def find_provider(name: str) -> Provider:
    """The provider of that name; ``default`` is the entry so named, or else the first.

    Raises:
        LLMConfigError: the site has no such provider, or it has no model.
    """
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
