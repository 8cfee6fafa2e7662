"""Former name of ``ledger.limits``."""

from openedx_ai_extensions.core.moved import moved

__getattr__ = moved(__name__, "openedx_ai_extensions.ledger.limits")
