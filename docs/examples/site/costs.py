"""What models cost, and how much of it may be used."""

import os

AI_EXTENSIONS = {
    # LiteLLM knows what this one costs, in US dollars.
    "default": {"MODEL": "openai/gpt-4.1-mini", "API_KEY": os.environ.get("OPENAI_API_KEY", "")},
    # One of your own: say what a million tokens cost, in your currency.
    "local": {
        "MODEL": "openai/any-name",
        "API_BASE": "http://127.0.0.1:8080/v1",
        "API_KEY": "none",
        "PROCESSOR": "Example University",
        "PRICES": {"INPUT": 0.05, "OUTPUT": 0.20},
    },
}

AI_EXTENSIONS_COSTS = {
    "CURRENCY": "EUR",
    "CURRENCY_PER_USD": 0.92,
    "UNKNOWN_PRICE": "block",
    "LEDGER_DAYS": 400,
}

AI_EXTENSIONS_LIMITS = [
    {"per": "site", "period": "month", "money": 500},
    {"per": "course", "period": "month", "money": 50},
    {"per": "person", "period": "day", "requests": 30, "tokens": 100_000},
    {"per": "person", "period": "minute", "requests": 5},
    # In place of the 30 of everybody.
    {"per": "person", "period": "day", "tier": "staff", "requests": 300},
    # This provider allows us no more.
    {"per": "provider", "provider": "local", "period": "hour", "requests": 1_000},
]
