"""Former name of ``ledger``."""

import warnings

from openedx_ai_extensions.core.moved import moved
from openedx_ai_extensions.execution import current_execution
from openedx_ai_extensions.ledger import Run

__getattr__ = moved(__name__, "openedx_ai_extensions.ledger")


def current_run() -> Run | None:
    """Former name of ``execution.current_execution().run``."""
    warnings.warn("Use execution.current_execution().run.", DeprecationWarning, stacklevel=2)
    execution = current_execution()
    return execution.run if execution else None
