"""The connections to providers: as many as there are streams, and each of use again as soon as its answer is over.

LiteLLM's own clients stop at 100, where the next call waits for one to come free; and a stream whose last words LiteLLM
does not read, or that nobody reads on, would hold its connection until the garbage collector comes by.
"""

from __future__ import annotations

import contextlib
import socket
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

KEPT_OPEN = 100  # idle connections, so that a burst does not stay for good


def widen(litellm: Any, httpx: Any) -> None:
    """Have models asked through a client of ours, unless the site has its own.

    The first is for OpenAI, Azure OpenAI and servers like theirs, the second for streams of Anthropic, Gemini and
    Bedrock. It serves all keys, so it keeps no cookies.
    """
    handlers = litellm.llms.custom_httpx.http_handler
    client = httpx.Client(
        verify=handlers.get_ssl_configuration(),
        follow_redirects=True,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=KEPT_OPEN),
    )
    if litellm.client_session is None:
        litellm.client_session = client
    if "module_level_client" not in vars(litellm):  # LiteLLM makes it when it is first asked for
        litellm.module_level_client = handlers.HTTPHandler(timeout=litellm.request_timeout, client=client)


class StreamConnection:
    """What carries a stream.

    Args:
        wrapper: the stream as LiteLLM gave it.
    """

    def __init__(self, wrapper: Any) -> None:
        self._wrapper = wrapper  # without it, all beneath it would be closed as soon as nobody reads
        stream = getattr(wrapper, "completion_stream", None) or wrapper
        # An httpx.Response, or a generator of its lines; neither when LiteLLM itself plays the provider.
        self._source = getattr(stream, "response", None) or getattr(stream, "streaming_response", None)

    def shut_down(self) -> None:
        """Wake the thread that is blocked in a read of it."""
        extensions = getattr(self._source, "extensions", None) or {}
        stream = extensions.get("network_stream")
        found: socket.socket | None = stream.get_extra_info("socket") if stream is not None else None
        if found is not None:
            with contextlib.suppress(OSError):  # it was closed already
                found.shutdown(socket.SHUT_RDWR)

    def give_back(self, *, is_whole: bool) -> None:
        """Free it: for the next call when the answer is whole, else for good."""
        import httpx

        if self._source is None:
            return
        # It may be broken, or gone already, which is all that closing wants.
        gone = contextlib.suppress(httpx.HTTPError, httpx.StreamError, OSError)
        if is_whole:
            with gone:
                for _rest in getattr(self._source, "stream", self._source):
                    pass
        with gone:
            self._source.close()
