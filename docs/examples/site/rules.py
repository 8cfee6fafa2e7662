"""Where there is no AI, and where providers answer."""

import os

# False switches all of it off. The admin's pauses do so without a restart.
AI_EXTENSIONS_ENABLED = True

# Sequences of these assignment types are exams, timed or not.
AI_EXTENSIONS_EXAM_FORMATS = ["Final Exam", "Midterm Exam"]

# People read the processor and the region in the notice that they accept.
AI_EXTENSIONS = {
    "default": {"MODEL": "openai/gpt-4.1-mini", "API_KEY": os.environ.get("OPENAI_API_KEY", ""), "REGION": "EU"},
    "own": {
        "MODEL": "openai/any-name",
        "API_BASE": "https://llm.example.org/v1",
        "API_KEY": os.environ.get("LLM_KEY", ""),
        "PROCESSOR": "Example University",
        "REGION": "EU",
    },
}
