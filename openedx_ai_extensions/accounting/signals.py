"""Former name of ``ledger.signals``."""

from openedx_ai_extensions.core.moved import moved

__getattr__ = moved(__name__, "openedx_ai_extensions.ledger.signals")
