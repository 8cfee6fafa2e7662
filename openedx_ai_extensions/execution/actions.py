"""What orchestrators say of their actions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Traits:
    """How an action is treated before it runs.

    Attributes:
        asks_model: what the person says goes to a model: the run is in the ledger, however it ends, and takes consent.
        asks_model_later: as ``asks_model``, but in a run of its own.
        replayable: the same request again gets the same answer. Not for actions that only read what may have changed.
        always_allowed: no rule of the site refuses it.
        max_chars: the setting that says how long the input may be, in characters of JSON.
    """

    asks_model: bool = True
    asks_model_later: bool = False
    replayable: bool = True
    always_allowed: bool = False
    max_chars: str = "AI_EXTENSIONS_MAX_INPUT_CHARS"

    @property
    def takes_consent(self) -> bool:
        """Does what the person says go to a model, now or later?"""
        return self.asks_model or self.asks_model_later
