"""Why a widget gets what it gets at a place, in words for whoever set it up. Looking changes nothing.

``why`` answers for one place and person, ``overlaps`` finds scopes that can't win; ``words`` says it.
"""

from openedx_ai_extensions.console.diagnosis.overlaps import Overlap, findings
from openedx_ai_extensions.console.diagnosis.why import Diagnosis, asked_in_vain, diagnose, scope_title

__all__ = ["Diagnosis", "Overlap", "asked_in_vain", "diagnose", "findings", "scope_title"]
