"""MCP servers whose tools profiles may enable."""

import os

AI_EXTENSIONS_MCP_CONFIGS = {
    # Reachable from the internet: a provider that calls MCP servers itself calls this one.
    "dictionary": {"URL": "https://dictionary.example.com/mcp", "ALLOWED_TOOLS": ["look_up"]},
    # Private: its address and token stay here, and we call it, whichever provider answers.
    "library": {
        "URL": "http://library.internal:8000/mcp",
        "HEADERS": {"Authorization": f"Bearer {os.environ.get('LIBRARY_TOKEN', '')}"},
        "ALLOWED_TOOLS": ["search_catalogue"],
        "TIMEOUT": 10,
        "THROUGH": "client",
    },
}
