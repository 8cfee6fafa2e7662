"""Every Django setting that this app reads: name, default, meaning and validation.

Settings that belong together are keys of one dictionary, here ``"AI_EXTENSIONS_ASYNC.LEASE"``. Keys may be written in
any case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from openedx_ai_extensions.core import setting_problems as problems
from openedx_ai_extensions.core.provider_entries import entries_problem

PACKAGE_DIR = Path(__file__).resolve().parents[1]
BUILT_IN_TEMPLATE_DIR = PACKAGE_DIR / "workflows" / "profiles"


def default_backend() -> str:
    """The backend of sites that configure none: the platform's inside edx-platform, otherwise the standalone one."""
    if all(find_spec(name) for name in ("lms", "xmodule")):
        return "openedx_ai_extensions.edxapp.platform.OpenEdXPlatform"
    return "openedx_ai_extensions.edxapp.standalone.StandalonePlatform"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        default: the value if the site sets none.
        meaning: the description for operators.
        problem: validates a value; returns a text that describes the problem, or None.
        former: the old name of a key: a Django setting that is read if the dictionary lacks the key. May be empty.
    """

    default: Any
    meaning: str
    problem: Callable[[Any], str | None]
    former: str = ""


DICTIONARIES: Mapping[str, str] = {
    "AI_EXTENSIONS_PROVIDER_DEFAULTS": "Defaults for providers, overridden by their entries in AI_EXTENSIONS.",
    "AI_EXTENSIONS_CIRCUIT_BREAKER": "When a provider that fails is not called for a while.",
    "AI_EXTENSIONS_MODERATION": "The checks of messages and answers.",
    "AI_EXTENSIONS_COSTS": "How costs are counted, and how long runs stay in the ledger.",
    "AI_EXTENSIONS_ASYNC": "Background runs.",
    "AI_EXTENSIONS_STREAMS": "The capacity of one process of the streaming service.",
    "AI_EXTENSIONS_STANDALONE": "What the standalone backend serves.",
}

SETTINGS: Mapping[str, Setting] = {
    "AI_EXTENSIONS": Setting(
        {},
        "LLM providers by name: {name: {MODEL, API_KEY, API_BASE, any LiteLLM parameter}}. An entry that is "
        "named openai, anthropic, gemini, mistral or groq may omit MODEL; manage.py check says which model is used. "
        "The plugin itself reads TIMEOUT, FIRST_BYTE_TIMEOUT, CONNECT_TIMEOUT, MAX_RETRIES, BASE_MODEL, "
        "MAX_INPUT_TOKENS, FALLBACKS, CAPABILITIES, PROCESSOR and REGION (who processes the data, such as 'Example "
        "University', and where, such as 'EU'; shown in the AI notice) and PRICES ({INPUT, OUTPUT, CACHED_INPUT, "
        "CACHE_WRITE: per million tokens, in the site's currency}). "
        "'default' in a profile means the entry of that name, or the first entry if there is none.",
        entries_problem,
    ),
    "AI_EXTENSIONS_PROVIDER_DEFAULTS.TIMEOUT": Setting(
        180,
        "Maximum seconds for a complete answer, including retries.",
        problems.positive_number,
        former="AI_EXTENSIONS_TOTAL_TIMEOUT",
    ),
    "AI_EXTENSIONS_PROVIDER_DEFAULTS.FIRST_BYTE_TIMEOUT": Setting(
        60,
        "Maximum seconds until a provider's first byte, and between two chunks of a stream.",
        problems.positive_number,
        former="AI_EXTENSIONS_FIRST_BYTE_TIMEOUT",
    ),
    "AI_EXTENSIONS_PROVIDER_DEFAULTS.CONNECT_TIMEOUT": Setting(
        5, "Maximum seconds to connect to a provider.", problems.positive_number, former="AI_EXTENSIONS_CONNECT_TIMEOUT"
    ),
    "AI_EXTENSIONS_PROVIDER_DEFAULTS.MAX_RETRIES": Setting(
        2,
        "Maximum number of retries of a failed provider call. A call is retried only before its first token.",
        problems.whole_number,
        former="AI_EXTENSIONS_MAX_RETRIES",
    ),
    "AI_EXTENSIONS_CIRCUIT_BREAKER.FAILURES": Setting(
        5,
        "Number of failed calls after which a provider is not called for a while. They must be from at least three "
        "people, and at least half of all calls. 0 disables the circuit breaker.",
        problems.whole_number,
        former="AI_EXTENSIONS_CIRCUIT_FAILURES",
    ),
    "AI_EXTENSIONS_CIRCUIT_BREAKER.WINDOW": Setting(
        300,
        "Seconds in which that many calls must fail, counted from the first failure.",
        problems.positive_whole_number,
        former="AI_EXTENSIONS_CIRCUIT_WINDOW",
    ),
    "AI_EXTENSIONS_CIRCUIT_BREAKER.COOLDOWN": Setting(
        30,
        "Seconds for which such a provider is not called. Then one call tests it.",
        problems.positive_whole_number,
        former="AI_EXTENSIONS_CIRCUIT_REST",
    ),
    "AI_EXTENSIONS_ENABLED": Setting(
        True,
        "False disables all AI features for everyone. Pauses in the admin do the same without a restart.",
        problems.true_or_false,
    ),
    "AI_EXTENSIONS_PRELOAD": Setting(
        True,
        "Web server processes (uWSGI, gunicorn) import LiteLLM at start-up, so that the first learner does not wait "
        "for it. False saves 140 MB for each server whose model calls are made by the streaming service.",
        problems.true_or_false,
    ),
    "AI_EXTENSIONS_EXAM_FORMATS": Setting(
        (),
        "Assignment types, such as 'Final Exam', whose sequences count as exams even if they are not timed. Learners "
        "get no AI there, and no model reads the content of these sequences for them.",
        problems.texts,
    ),
    "AI_EXTENSIONS_MODERATION.MODERATORS": Setting(
        {},
        "Moderators by name: {name: {KIND: 'words', WORDS: [words and phrases], FILE: path to more, one per line}}, or "
        "{name: {KIND: 'provider', PROVIDER: entry of AI_EXTENSIONS whose MODEL moderates, TIMEOUT: seconds (5), "
        "ON_FAILURE: 'refuse' (default) or 'allow'}}, or KIND: dotted path of a subclass of "
        "openedx_ai_extensions.moderation.Moderator, with options of its own.",
        problems.moderators,
        former="AI_EXTENSIONS_MODERATORS",
    ),
    "AI_EXTENSIONS_MODERATION.BEFORE": Setting(
        (),
        "Names of the moderators that check people's messages before a model receives them. A profile's own moderation "
        "replaces this list.",
        problems.texts,
    ),
    "AI_EXTENSIONS_MODERATION.AFTER": Setting(
        (),
        "Names of the moderators that check a model's answers before they are shown. A profile's own moderation "
        "replaces this list.",
        problems.texts,
    ),
    "AI_EXTENSIONS_LIMITS": Setting(
        (),
        "Limits, as in the admin: [{per: site, provider, course, profile or person; period: minute, hour, day or "
        "month; requests, tokens, money: the maximum of each, omitted for no limit, 0 to allow none; and to narrow "
        "it, tier: 'staff', course: key, profile: slug, provider: name}]. If several apply to the same subject and "
        "period, the most specific one is used; limits in the admin have priority.",
        problems.limits,
    ),
    "AI_EXTENSIONS_COSTS.CURRENCY": Setting(
        "USD",
        "The currency of prices and budgets: its ISO 4217 code.",
        problems.currency,
        former="AI_EXTENSIONS_CURRENCY",
    ),
    "AI_EXTENSIONS_COSTS.CURRENCY_PER_USD": Setting(
        1,
        "Exchange rate: the value of a US dollar in the site's currency. LiteLLM's price table, used for providers "
        "without PRICES, is in dollars.",
        problems.positive_number,
        former="AI_EXTENSIONS_CURRENCY_PER_USD",
    ),
    "AI_EXTENSIONS_COSTS.UNKNOWN_PRICE": Setting(
        "block",
        "What to do if money is limited and a model's price is unknown: 'block' (do not call the model), 'warn' (call "
        "it and log a warning) or 'tokens_only' (call it; the cost is not counted).",
        problems.unknown_price,
        former="AI_EXTENSIONS_UNKNOWN_PRICE",
    ),
    "AI_EXTENSIONS_COSTS.EXPECTED_ANSWER_TOKENS": Setting(
        1_000,
        "Tokens reserved for an answer before the call, unless the profile's options limit its length.",
        problems.positive_whole_number,
        former="AI_EXTENSIONS_EXPECTED_ANSWER_TOKENS",
    ),
    "AI_EXTENSIONS_COSTS.LEDGER_DAYS": Setting(
        400,
        "Days for which runs stay in the ledger. manage.py ai_purge_ledger deletes older ones.",
        problems.positive_whole_number,
        former="AI_EXTENSIONS_LEDGER_DAYS",
    ),
    "AI_EXTENSIONS_MAX_INPUT_CHARS": Setting(
        20_000, "Maximum length of the user's input, in characters of its JSON form.", problems.whole_number
    ),
    "AI_EXTENSIONS_MAX_SAVE_CHARS": Setting(
        500_000,
        "Maximum length of the input of the action save (flashcards, quiz questions), in characters of its JSON form.",
        problems.whole_number,
    ),
    "AI_EXTENSIONS_MAX_ANSWER_CHARS": Setting(
        200_000,
        "Maximum length of a model's answer, in characters. Longer answers are cut off, with a notice, and the rest of "
        "the provider's response is not read.",
        problems.positive_whole_number,
    ),
    "AI_EXTENSIONS_MAX_CONTEXT_MESSAGES": Setting(
        10,
        "Number of the last messages of a conversation that are sent to the model, and to a widget when it opens, "
        "unless the profile sets its own number.",
        problems.positive_whole_number,
    ),
    "AI_EXTENSIONS_MAX_TOOL_ROUNDS": Setting(
        6, "Maximum number of rounds in which a model may call tools before it must answer.", problems.whole_number
    ),
    "AI_EXTENSIONS_MCP_CONFIGS": Setting(
        {},
        "MCP servers by name, whose tools profiles may enable: {name: {URL, HEADERS, ALLOWED_TOOLS: [names], TIMEOUT: "
        "seconds (15), TRANSPORT: 'streamable_http' or 'sse', THROUGH: 'auto' or 'client'}}; only URL is required.",
        problems.mcp_servers,
    ),
    "AI_EXTENSIONS_ENABLE_LLM_CACHE": Setting(
        False,
        "Answer identical requests from a cache, in profiles whose LLMProcessor has cache: true.",
        problems.true_or_false,
    ),
    "AI_EXTENSIONS_LLM_CACHE": Setting(
        {"type": "local"},
        "Where cached answers are stored: parameters of LiteLLM's Cache, such as {'type': 'redis', 'host': …, "
        "'port': …, 'ttl': seconds (3600)}. Types: local (in each process), redis, disk, s3, gcs, azure-blob.",
        problems.cache_parameters,
    ),
    "AI_EXTENSIONS_ASYNC.RUNS_PER_PERSON": Setting(
        5,
        "Maximum number of background runs of a person that are queued or running at the same time.",
        problems.positive_whole_number,
        former="AI_EXTENSIONS_ASYNC_RUNS_PER_PERSON",
    ),
    "AI_EXTENSIONS_ASYNC.SOFT_TIME_LIMIT": Setting(
        240,
        "Seconds after which a background run is asked to stop.",
        problems.positive_number,
        former="AI_EXTENSIONS_ASYNC_SOFT_TIME_LIMIT",
    ),
    "AI_EXTENSIONS_ASYNC.TIME_LIMIT": Setting(
        270,
        "Seconds after which the worker process of a background run is killed.",
        problems.positive_number,
        former="AI_EXTENSIONS_ASYNC_TIME_LIMIT",
    ),
    "AI_EXTENSIONS_ASYNC.QUEUE_TIME_LIMIT": Setting(
        300,
        "Seconds for which a background run may be queued. After that, it is not started.",
        problems.positive_number,
        former="AI_EXTENSIONS_ASYNC_QUEUE_TIME_LIMIT",
    ),
    "AI_EXTENSIONS_ASYNC.LEASE": Setting(
        20,
        "Seconds without a heartbeat after which a worker counts as dead. It sends four heartbeats in this time. Must "
        "be greater than the difference between the clocks of web and worker hosts.",
        problems.positive_number,
        former="AI_EXTENSIONS_ASYNC_LEASE",
    ),
    "AI_EXTENSIONS_STREAMS.PER_PROCESS": Setting(
        500,
        "Maximum number of simultaneous requests in one process of the streaming service. Further requests get 503 "
        "with Retry-After.",
        problems.positive_whole_number,
        former="AI_EXTENSIONS_MAX_STREAMS",
    ),
    "AI_EXTENSIONS_STREAMS.PER_PERSON": Setting(
        5,
        "Maximum number of simultaneous requests of one person in a process. Further requests are refused.",
        problems.positive_whole_number,
        former="AI_EXTENSIONS_STREAMS_PER_PERSON",
    ),
    "AI_EXTENSIONS_STREAMS.CONNECTIONS": Setting(
        20,
        "Maximum number of requests that a process of the streaming service works on at the same time; requests that "
        "wait for a model or a tool do not count. It is also the maximum number of connections to each database, apart "
        "from those of tools that read the database.",
        problems.positive_whole_number,
        former="AI_EXTENSIONS_STREAM_CONNECTIONS",
    ),
    "AI_EXTENSIONS_ENABLE_EVENT_BUS_CONSUMER": Setting(
        False,
        "Run workflows that other services request with the event "
        "org.openedx.ai_extensions.orchestration.requested.v1. A sender of such events can act as any user.",
        problems.true_or_false,
    ),
    "WORKFLOW_TEMPLATE_DIRS": Setting(
        (BUILT_IN_TEMPLATE_DIR,),
        "Directories of workflow templates. If several contain a template, the first one is used.",
        problems.paths,
    ),
    "OPENEDX_AI_EXTENSIONS_UI_SLOT_IDS": Setting(
        (), "Identifiers of the site's UI slots, suggested in the admin's form of scopes.", problems.texts
    ),
    "AI_EXTENSIONS_RESOLUTION_MAX_AGE": Setting(
        30,
        "Seconds for which a process caches scopes. After this time it reads them again even without a notification of "
        "a change. This limits outdated scopes where processes share no cache.",
        problems.positive_number,
    ),
    "AI_EXTENSIONS_BACKEND": Setting(
        default_backend(),
        "Dotted path of the class that provides courses, content, access rights and libraries. Inside the LMS and "
        "Studio the default is openedx_ai_extensions.edxapp.platform.OpenEdXPlatform.",
        problems.dotted_path,
    ),
    "AI_EXTENSIONS_STANDALONE.COURSES": Setting(
        (),
        "Courses of the standalone backend: [{path: directory or .tar.gz of an OLX export, staff: [usernames], "
        "learners: [usernames] or '*', in_exam: [usernames of learners who are taking an exam]}].",
        problems.courses,
        former="AI_EXTENSIONS_STANDALONE_COURSES",
    ),
    "AI_EXTENSIONS_STANDALONE.LIBRARIES": Setting(
        {},
        "Content libraries of the standalone backend: {library key: {path: directory of OLX files, created when "
        "needed, editors: [usernames]}}.",
        problems.libraries,
        former="AI_EXTENSIONS_STANDALONE_LIBRARIES",
    ),
    "SERVICE_VARIANT": Setting(
        "lms", "The service of this process, 'lms' or 'cms'. The platform sets it.", problems.service_variant
    ),
    "LEARNING_MICROFRONTEND_URL": Setting(
        None,
        "Address of the learning micro-frontend, for links to places in courses. The platform sets it.",
        problems.web_address,
    ),
    "LMS_ROOT_URL": Setting(
        None,
        "Address of the LMS, for such links if there is no learning micro-frontend.",
        problems.web_address,
    ),
    "EXAMS_SERVICE_URL": Setting(
        None,
        "Address of the API of the separate exams service. It is asked for the exam attempts of learners in courses "
        "that use it. The platform sets it.",
        problems.web_address,
    ),
    "FEATURES": Setting(
        {},
        "The platform's feature flags. The plugin reads ENABLE_SPECIAL_EXAMS (there are exams) and MILESTONES_APP "
        "(there are prerequisites).",
        problems.switches,
    ),
}
