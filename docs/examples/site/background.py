# For a local model that needs minutes for twenty questions.
AI_EXTENSIONS_PROVIDER_DEFAULTS = {"TIMEOUT": 480}
AI_EXTENSIONS_ASYNC = {"SOFT_TIME_LIMIT": 540, "TIME_LIMIT": 570}
