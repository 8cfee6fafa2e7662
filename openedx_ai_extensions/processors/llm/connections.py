"""As many connections to a provider as there are streams: LiteLLM's own clients stop at 100, and the next one waits."""

from __future__ import annotations

from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

KEPT_OPEN = 100  # idle connections, so that a burst does not stay for good


def widen(litellm: Any, httpx: Any) -> None:
    """Have OpenAI, Azure OpenAI and servers like theirs asked through a client of ours, unless the site has its own.

    It serves all keys, so it keeps no cookies.
    """
    if litellm.client_session is None:
        litellm.client_session = httpx.Client(
            verify=litellm.llms.custom_httpx.http_handler.get_ssl_configuration(),
            follow_redirects=True,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=KEPT_OPEN),
        )
