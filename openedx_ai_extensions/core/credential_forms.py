"""The forms that credentials of well-known services have."""

from __future__ import annotations

import re
from functools import lru_cache

# Values that are credentials whatever they are called: header values, keys of a known form, URLs with a password.
SECRET_VALUE = re.compile(
    r"(?:\bBearer|^\s*Basic)\s+(?=[^\s\"']*[0-9=])[^\s\"']{16,}|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|(?<![a-z0-9+.-])[a-z0-9+.-]++://[^/\s:@]*:[^/\s@]+@"
    r"|(?<![A-Za-z0-9])(?:sk-|sk_live_|rk_live_|hf_|gsk_|xai-|r8_|pplx-|nvapi-|fw_|csk-|gh[oprsu]_|github_pat_|glpat-"
    r"|npm_|pypi-|xox[abeprs]-|ya29\.|AIza|AGE-SECRET-KEY-|dop_v1_|shpat_|lsv2_)[A-Za-z0-9_.-]{16,}"
    r"|(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"
    r"|(?<![A-Za-z0-9_-])(?>[A-Za-z0-9_-]*?(?<![A-Za-z0-9])eyJ)[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    re.IGNORECASE,
)


@lru_cache(maxsize=256)  # names of providers and models are asked about with every call
def is_credential(text: str) -> bool:
    """Does this text have the form of a credential, or contain one?"""
    return SECRET_VALUE.search(text) is not None
