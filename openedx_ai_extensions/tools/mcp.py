"""Tools of MCP servers, which a model calls like local ones.

The setting ``AI_EXTENSIONS_MCP_CONFIGS`` names the servers. The list of a server's tools is cached for some minutes. An
unreachable server offers no tools, and delays a run by its timeout at most.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from openedx_ai_extensions.core import conf
from openedx_ai_extensions.core.cache import shared_cache, tolerated_outage
from openedx_ai_extensions.core.long_waits import long_wait
from openedx_ai_extensions.exceptions import ProcessorError, ServiceUnavailable
from openedx_ai_extensions.tools.arguments import schema_problem
from openedx_ai_extensions.tools.registry import TOOL_NAME, Tool, ToolContext

logger = logging.getLogger(__name__)

DEFAULT_TIMEOUT = 15.0
FRESH_SECONDS = 300.0
RETRY_SECONDS = 30.0
MAX_TOOLS = 128
MAX_DESCRIPTION_CHARS = 4_000
# The definitions of all tools are sent, and paid for, with every request.
MAX_DEFINITION_CHARS = 8_000  # of one tool, as JSON
MAX_DEFINITIONS_CHARS = 32_000  # of all tools of a server
LEFT_OUT_SECONDS = 24 * 3600  # for which the health page knows of tools that were left out
MAX_ERROR_CHARS = 1_000


@dataclass(frozen=True, slots=True)
class McpServer:
    """A configured server. Its address and headers are secrets.

    Attributes:
        allowed_tools: the server's names of the tools that may be used; None for all.
        timeout: seconds for a complete exchange with the server.
        transport: ``streamable_http`` or ``sse``.
        through: who connects to it: the provider if it can (``auto``), or always this site (``client``).
    """

    name: str
    url: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    allowed_tools: tuple[str, ...] | None = None
    timeout: float = DEFAULT_TIMEOUT
    transport: str = "streamable_http"
    through: str = "auto"

    @property
    def may_be_hosted(self) -> bool:
        """May a provider that supports MCP connect to this server itself?"""
        return self.through == "auto"

    @property
    def hosted(self) -> dict[str, Any]:
        """The server as a tool of OpenAI's Responses API. It contains the secrets."""
        tool: dict[str, Any] = {
            "type": "mcp",
            "server_label": _safe(self.name),
            "server_url": self.url,
            "require_approval": "never",
        }
        if self.headers:
            tool["headers"] = dict(self.headers)
        if self.allowed_tools is not None:
            tool["allowed_tools"] = list(self.allowed_tools)
        return tool

    def tools(self) -> list[Tool]:
        """The server's tools, at most ``MAX_TOOLS``; empty while it is unreachable, which is retried later."""
        listing = _listings.setdefault(self, _Listing())
        if time.monotonic() >= listing.fresh_until and listing.lock.acquire(blocking=False):
            try:
                if time.monotonic() >= listing.fresh_until:
                    listing.tools, seconds = self._listed()
                    listing.fresh_until = time.monotonic() + seconds
            finally:
                listing.lock.release()
                listing.is_known.set()
        elif not listing.is_known.is_set():
            with long_wait():
                listing.is_known.wait(self.timeout)
        return list(listing.tools)

    def _listed(self) -> tuple[tuple[Tool, ...], float]:
        try:
            offered = _exchange(self, lambda client: client.list_tools(self, MAX_TOOLS))
        except ServiceUnavailable:
            return (), RETRY_SECONDS
        left_out: list[str] = []
        tools = tuple(_tools(self, offered, left_out))
        with tolerated_outage():
            shared_cache().set(_left_out_key(self.name), left_out, LEFT_OUT_SECONDS)
        return tools, FRESH_SECONDS


class McpTool(Tool):
    """A tool of a server.

    Args:
        server: the server.
        remote_name: the server's name of the tool.
        parameters: the input schema that the server sent.
    """

    def __init__(
        self, server: McpServer, remote_name: str, parameters: Mapping[str, Any], *, name: str, description: str
    ) -> None:
        # The exchange has its own timeout; this longer one is a fallback.
        super().__init__(name=name, description=description, timeout=server.timeout + 5)
        self.server = server
        self.remote_name = remote_name
        self._parameters = parameters

    @property
    def parameters(self) -> Mapping[str, Any]:
        return self._parameters

    def run(self, context: ToolContext, arguments: dict[str, Any]) -> str:
        """Call the tool on its server. The server gets the arguments, but not the context.

        Raises:
            ServiceUnavailable: the server did not answer.
            ProcessorError: the server reported an error.
        """
        result = _exchange(self.server, lambda client: client.call_tool(self.server, self.remote_name, arguments))
        text = _text(result)
        if result["isError"]:
            raise ProcessorError(text[:MAX_ERROR_CHARS] or _("The tool failed."))
        return text


@dataclass(slots=True)
class _Listing:
    """The last known tools of a server. While one thread updates them, the others go on with what there is; only the
    very first listing holds them up.
    """

    tools: tuple[Tool, ...] = ()
    fresh_until: float = float("-inf")
    lock: threading.Lock = field(default_factory=threading.Lock)
    is_known: threading.Event = field(default_factory=threading.Event)


_listings: dict[McpServer, _Listing] = {}


def mcp_server(name: str) -> McpServer | None:
    """The server configured under this name, or None if it is missing or unusable."""
    config = conf.mcp_servers().get(name)
    if config is None:
        return None
    allowed = config.get("allowed_tools")
    return McpServer(
        name=name,
        url=config["url"],
        headers=tuple((config.get("headers") or {}).items()),
        allowed_tools=None if allowed is None else tuple(allowed),
        timeout=float(config.get("timeout") or DEFAULT_TIMEOUT),
        transport=config.get("transport") or "streamable_http",
        through=config.get("through") or "auto",
    )


def left_out_tools(server: str) -> list[str]:
    """The names of a server's tools that were left out when a process last asked for them; empty if unknown."""
    with tolerated_outage():
        return list(shared_cache().get(_left_out_key(server)) or ())
    return []


def _left_out_key(server: str) -> str:
    return f"mcp-left-out.{hashlib.sha256(server.encode()).hexdigest()}"


def _exchange(server: McpServer, ask: Callable[[Any], Any]) -> Any:
    """Run an exchange with a server.

    Raises:
        ServiceUnavailable: the exchange failed or timed out; the log contains the server and the type of error.
    """
    from openedx_ai_extensions.tools import mcp_client

    try:
        return mcp_client.run(lambda: ask(mcp_client), server.timeout)
    except Exception as error:  # noqa: BLE001  # not hidden: raised as ours, and logged without its text
        logger.warning("mcp.failed server=%s error=%s", server.name, type(error).__qualname__)
        if isinstance(error, TimeoutError):
            raise ServiceUnavailable(_("The tool took too long and was stopped.")) from None
        raise ServiceUnavailable(_("The tool is not available now.")) from None


def _tools(server: McpServer, offered: Iterable[Mapping[str, Any]], left_out: list[str]) -> Iterator[Tool]:
    """The usable tools; the names of the others are added to ``left_out``."""
    names: set[str] = set()
    room = MAX_DEFINITIONS_CHARS
    for tool in offered:
        remote_name, schema = tool["name"], tool["inputSchema"]
        if server.allowed_tools is not None and remote_name not in server.allowed_tools:
            continue
        name = _tool_name(server.name, remote_name)
        description = (tool["description"] or tool["title"] or "")[:MAX_DESCRIPTION_CHARS]
        size = len(json.dumps([name, description, schema], ensure_ascii=False))
        if name in names:
            problem: str | None = "is listed twice"
        elif size > MAX_DEFINITION_CHARS:
            problem = f"has a definition of more than {MAX_DEFINITION_CHARS} characters"
        elif size > room:
            problem = f"is beyond the {MAX_DEFINITIONS_CHARS} characters of definitions of a server"
        else:
            problem = schema_problem(schema)
        if problem:
            logger.warning("mcp.tool.skipped server=%s tool=%s problem=%s", server.name, name, problem)
            left_out.append(name)
            continue
        names.add(name)
        room -= size
        yield McpTool(server, remote_name, schema, name=name, description=description)


def _tool_name(server: str, tool: str) -> str:
    """``server__tool``; with a hash of both if that is not a valid name, or could be ambiguous."""
    name = f"{server}__{tool}"
    is_plain = TOOL_NAME.fullmatch(name) and "__" not in server and not server.endswith("_")
    if is_plain:
        return name
    digest = hashlib.sha256(json.dumps([server, tool]).encode()).hexdigest()[:10]
    return f"{_safe(name)[:53]}_{digest}"


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def _text(result: Mapping[str, Any]) -> str:
    parts = [part["text"] if part["type"] == "text" else _placeholder(part) for part in result["content"]]
    if not parts and result["structuredContent"] is not None:
        return json.dumps(result["structuredContent"], ensure_ascii=False)
    return "\n".join(parts)


def _placeholder(part: Mapping[str, Any]) -> str:
    """Content that is not text, as a placeholder in brackets."""
    of = part.get("resource") or part
    what = of.get("uri") or of.get("mimeType")
    return f"[{part['type']}: {what}]" if what else f"[{part['type']}]"
