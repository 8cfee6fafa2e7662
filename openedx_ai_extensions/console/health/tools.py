"""The tools that models may call: those of MCP servers that were left out."""

from __future__ import annotations

from django.utils.translation import gettext as _

from openedx_ai_extensions.console.health.findings import Finding, HealthLevel
from openedx_ai_extensions.core import conf
from openedx_ai_extensions.tools.mcp import left_out_tools


def check() -> list[Finding]:
    """The servers some of whose tools were left out when they were last asked. None is asked here."""
    servers = list(conf.mcp_servers())
    if not servers:
        return [Finding(HealthLevel.OK, _("MCP servers"), _("None is configured."))]
    left_out = {name: names for name in servers if (names := left_out_tools(name))}
    if not left_out:
        return [Finding(HealthLevel.OK, _("MCP servers"), _("None of their tools was left out lately."))]
    advice = _(
        "Definitions of tools are sent with every request, so their length is limited. Name the tools that you need in "
        "ALLOWED_TOOLS of the server; the log says of each what is wrong (mcp.tool.skipped)."
    )
    return [
        Finding(
            HealthLevel.WARNING, name, _("These tools are left out: {names}.").format(names=", ".join(names)), advice
        )
        for name, names in left_out.items()
    ]
