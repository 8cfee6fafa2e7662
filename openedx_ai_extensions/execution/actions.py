"""The properties that orchestrators declare for their actions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Traits:
    """How an action is treated before it runs.

    Attributes:
        asks_model: the input goes to a model. The run is recorded in the ledger however it ends, and needs consent.
        asks_model_later: as ``asks_model``, but the model is asked in a separate run.
        replayable: a repeated request gets the stored answer. False for actions that read data that may have changed.
            The answer of an action with ``asks_model`` is stored only if a model was asked.
        always_allowed: no rule of the site refuses the action.
        max_chars: name of the setting that limits the input, in characters of JSON.
    """

    asks_model: bool = True
    asks_model_later: bool = False
    replayable: bool = True
    always_allowed: bool = False
    max_chars: str = "AI_EXTENSIONS_MAX_INPUT_CHARS"

    @property
    def takes_consent(self) -> bool:
        """Does the input go to a model, now or later?"""
        return self.asks_model or self.asks_model_later
