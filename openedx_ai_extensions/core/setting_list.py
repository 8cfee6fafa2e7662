"""Every Django setting this app reads: name, default, meaning and validation.

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
    """The class that answers where the site names none: the platform's, if this process runs inside edx-platform."""
    if all(find_spec(name) for name in ("lms", "xmodule")):
        return "openedx_ai_extensions.edxapp.platform.OpenEdXPlatform"
    return "openedx_ai_extensions.edxapp.standalone.StandalonePlatform"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        default: what holds where the site says nothing.
        meaning: for people who operate a site.
        problem: returns what is wrong with a value, or None.
        former: the Django setting that is read where the dictionary lacks the key; empty if there is none.
    """

    default: Any
    meaning: str
    problem: Callable[[Any], str | None]
    former: str = ""


DICTIONARIES: Mapping[str, str] = {
    "AI_EXTENSIONS_PROVIDER_DEFAULTS": "What holds for providers whose entry in AI_EXTENSIONS does not say otherwise.",
    "AI_EXTENSIONS_CIRCUIT_BREAKER": "When a provider that fails is left alone for a while.",
    "AI_EXTENSIONS_MODERATION": "What looks at the texts of people and models.",
    "AI_EXTENSIONS_COSTS": "How costs are counted, and how long runs stay in the ledger.",
    "AI_EXTENSIONS_ASYNC": "Runs in the background.",
    "AI_EXTENSIONS_STREAMS": "How much one process of the streaming service takes on.",
    "AI_EXTENSIONS_STANDALONE": "What the standalone backend serves.",
}

SETTINGS: Mapping[str, Setting] = {
    "AI_EXTENSIONS": Setting(
        {},
        "LLM providers by name: {name: {MODEL, API_KEY, API_BASE, any LiteLLM parameter}}. An entry that is "
        "named openai, anthropic, gemini, mistral or groq may leave MODEL out; manage.py check says which is asked. "
        "The plugin itself reads TIMEOUT, FIRST_BYTE_TIMEOUT, CONNECT_TIMEOUT, MAX_RETRIES, BASE_MODEL, "
        "MAX_INPUT_TOKENS, FALLBACKS, CAPABILITIES, REGION (where "
        "it answers, such as 'EU', for people to read in the AI notice) and PRICES "
        "({INPUT, OUTPUT, CACHED_INPUT, CACHE_WRITE: of a million tokens, in the site's currency}). A profile "
        "that asks for 'default' gets the entry of that name, or else the first.",
        entries_problem,
    ),
    "AI_EXTENSIONS_PROVIDER_DEFAULTS.TIMEOUT": Setting(
        180,
        "Seconds for one whole answer, retries included.",
        problems.positive_number,
        former="AI_EXTENSIONS_TOTAL_TIMEOUT",
    ),
    "AI_EXTENSIONS_PROVIDER_DEFAULTS.FIRST_BYTE_TIMEOUT": Setting(
        60,
        "Seconds until a provider's first byte, and between two chunks of a stream.",
        problems.positive_number,
        former="AI_EXTENSIONS_FIRST_BYTE_TIMEOUT",
    ),
    "AI_EXTENSIONS_PROVIDER_DEFAULTS.CONNECT_TIMEOUT": Setting(
        5, "Seconds to reach a provider.", problems.positive_number, former="AI_EXTENSIONS_CONNECT_TIMEOUT"
    ),
    "AI_EXTENSIONS_PROVIDER_DEFAULTS.MAX_RETRIES": Setting(
        2,
        "How often a failed provider call is tried again before the first token.",
        problems.whole_number,
        former="AI_EXTENSIONS_MAX_RETRIES",
    ),
    "AI_EXTENSIONS_CIRCUIT_BREAKER.FAILURES": Setting(
        5,
        "Calls of a provider that fail, of three people at least and half of all calls, until it is left alone for a "
        "while; 0 for never.",
        problems.whole_number,
        former="AI_EXTENSIONS_CIRCUIT_FAILURES",
    ),
    "AI_EXTENSIONS_CIRCUIT_BREAKER.WINDOW": Setting(
        300,
        "Seconds within which so many calls must fail, from the first of them.",
        problems.positive_whole_number,
        former="AI_EXTENSIONS_CIRCUIT_WINDOW",
    ),
    "AI_EXTENSIONS_CIRCUIT_BREAKER.COOLDOWN": Setting(
        30,
        "Seconds that such a provider is left alone, until one call tries it again.",
        problems.positive_whole_number,
        former="AI_EXTENSIONS_CIRCUIT_REST",
    ),
    "AI_EXTENSIONS_ENABLED": Setting(
        True,
        "False switches all AI off, for everybody. The admin's pauses do so too, without a restart.",
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
        "Assignment types, such as 'Final Exam', of which a sequence is an exam even if it is not timed: learners get "
        "no AI there, and no AI reads what is written there for them.",
        problems.texts,
    ),
    "AI_EXTENSIONS_MODERATION.MODERATORS": Setting(
        {},
        "Moderators by name: {name: {KIND: 'words', WORDS: [words and phrases], FILE: path of more, one a line}}, or "
        "{name: {KIND: 'provider', PROVIDER: entry of AI_EXTENSIONS whose MODEL moderates, TIMEOUT: seconds (5), "
        "ON_FAILURE: 'refuse' (default) or 'allow'}}, or KIND: dotted path of a subclass of "
        "openedx_ai_extensions.moderation.Moderator, with options of its own.",
        problems.moderators,
        former="AI_EXTENSIONS_MODERATORS",
    ),
    "AI_EXTENSIONS_MODERATION.BEFORE": Setting(
        (),
        "Names of those that look at what people say, before a model gets it. A profile's own moderation takes the "
        "place of this.",
        problems.texts,
    ),
    "AI_EXTENSIONS_MODERATION.AFTER": Setting(
        (),
        "Names of those that look at what a model answers, before anybody else sees it. A profile's own moderation "
        "takes the place of this.",
        problems.texts,
    ),
    "AI_EXTENSIONS_LIMITS": Setting(
        (),
        "Limits, as in the admin: [{per: site, provider, course, profile or person; period: minute, hour, day or "
        "month; requests, tokens, money: how much of each, left out for no limit, 0 for none allowed; and to narrow "
        "it, tier: 'staff', course: key, profile: slug, provider: name}]. Of several for the same thing and period the "
        "most specific holds; the admin's come first.",
        problems.limits,
    ),
    "AI_EXTENSIONS_COSTS.CURRENCY": Setting(
        "USD",
        "The currency of prices and budgets, as ISO 4217 names it.",
        problems.currency,
        former="AI_EXTENSIONS_CURRENCY",
    ),
    "AI_EXTENSIONS_COSTS.CURRENCY_PER_USD": Setting(
        1,
        "How much of the site's currency a US dollar is worth: LiteLLM's price table, which holds for providers "
        "without PRICES of their own, is in dollars.",
        problems.positive_number,
        former="AI_EXTENSIONS_CURRENCY_PER_USD",
    ),
    "AI_EXTENSIONS_COSTS.UNKNOWN_PRICE": Setting(
        "block",
        "What to do if money is limited and a model's price is unknown: 'block' (do not call it), 'warn' (call "
        "it, and say so in the log) or 'tokens_only' (call it; money is not counted).",
        problems.unknown_price,
        former="AI_EXTENSIONS_UNKNOWN_PRICE",
    ),
    "AI_EXTENSIONS_COSTS.EXPECTED_ANSWER_TOKENS": Setting(
        1_000,
        "Tokens that are reserved for an answer, unless the profile's options limit its length.",
        problems.positive_whole_number,
        former="AI_EXTENSIONS_EXPECTED_ANSWER_TOKENS",
    ),
    "AI_EXTENSIONS_COSTS.LEDGER_DAYS": Setting(
        400,
        "Days that runs stay in the ledger; manage.py ai_purge_ledger deletes older ones.",
        problems.positive_whole_number,
        former="AI_EXTENSIONS_LEDGER_DAYS",
    ),
    "AI_EXTENSIONS_MAX_INPUT_CHARS": Setting(
        20_000, "Longest user input accepted, in characters of its JSON form.", problems.whole_number
    ),
    "AI_EXTENSIONS_MAX_SAVE_CHARS": Setting(
        500_000,
        "Longest input of the action save (flashcards, quiz questions), in characters of its JSON form.",
        problems.whole_number,
    ),
    "AI_EXTENSIONS_MAX_ANSWER_CHARS": Setting(
        200_000,
        "Longest answer of a model that is passed on, in characters; the rest is cut off, and the answer says so. No "
        "more of what a provider sends is read than such an answer may need.",
        problems.positive_whole_number,
    ),
    "AI_EXTENSIONS_MAX_CONTEXT_MESSAGES": Setting(
        10,
        "How many of the last messages of a conversation go to the model and to a widget that opens, unless the "
        "profile says otherwise.",
        problems.positive_whole_number,
    ),
    "AI_EXTENSIONS_MAX_TOOL_ROUNDS": Setting(
        6, "How often a model may ask for tools before it must answer.", problems.whole_number
    ),
    "AI_EXTENSIONS_MCP_CONFIGS": Setting(
        {},
        "MCP servers by name, whose tools profiles may enable: {name: {URL, HEADERS, ALLOWED_TOOLS: [names], TIMEOUT: "
        "seconds (15), TRANSPORT: 'streamable_http' or 'sse', THROUGH: 'auto' or 'client'}}; only URL is needed.",
        problems.mcp_servers,
    ),
    "AI_EXTENSIONS_ENABLE_LLM_CACHE": Setting(
        False,
        "Give identical requests the same answer, where a profile's LLMProcessor says cache: true.",
        problems.true_or_false,
    ),
    "AI_EXTENSIONS_LLM_CACHE": Setting(
        {"type": "local"},
        "Where such answers are kept: parameters of LiteLLM's Cache, such as {'type': 'redis', 'host': …, 'port': …, "
        "'ttl': seconds (3600)}. The type is local (each process its own), redis, disk, s3, gcs or azure-blob.",
        problems.cache_parameters,
    ),
    "AI_EXTENSIONS_ASYNC.RUNS_PER_PERSON": Setting(
        5,
        "How many runs in the background one person may have waiting or at work at once.",
        problems.positive_whole_number,
        former="AI_EXTENSIONS_ASYNC_RUNS_PER_PERSON",
    ),
    "AI_EXTENSIONS_ASYNC.SOFT_TIME_LIMIT": Setting(
        240,
        "Seconds after which a run in the background is told to stop.",
        problems.positive_number,
        former="AI_EXTENSIONS_ASYNC_SOFT_TIME_LIMIT",
    ),
    "AI_EXTENSIONS_ASYNC.TIME_LIMIT": Setting(
        270,
        "Seconds after which the worker process of a run in the background is killed.",
        problems.positive_number,
        former="AI_EXTENSIONS_ASYNC_TIME_LIMIT",
    ),
    "AI_EXTENSIONS_ASYNC.QUEUE_TIME_LIMIT": Setting(
        300,
        "Seconds that a run in the background waits for a worker; after that it is not begun.",
        problems.positive_number,
        former="AI_EXTENSIONS_ASYNC_QUEUE_TIME_LIMIT",
    ),
    "AI_EXTENSIONS_ASYNC.LEASE": Setting(
        20,
        "Seconds after which a worker that sends no heartbeat counts as dead; it sends four in this time. Must be more "
        "than the difference between the clocks of web and worker hosts.",
        problems.positive_number,
        former="AI_EXTENSIONS_ASYNC_LEASE",
    ),
    "AI_EXTENSIONS_STREAMS.PER_PROCESS": Setting(
        500,
        "Requests that one process of the streaming service answers at once; one more is asked to come back a little "
        "later.",
        problems.positive_whole_number,
        former="AI_EXTENSIONS_MAX_STREAMS",
    ),
    "AI_EXTENSIONS_STREAMS.PER_PERSON": Setting(
        5,
        "Of these, how many may be one person's; one more is refused.",
        problems.positive_whole_number,
        former="AI_EXTENSIONS_STREAMS_PER_PERSON",
    ),
    "AI_EXTENSIONS_STREAMS.CONNECTIONS": Setting(
        20,
        "Of all its requests, how many may be at work at once, rather than waiting for a model or a tool: as many "
        "connections to each database does a process of the streaming service hold at most, besides those of tools "
        "that read the database while they run.",
        problems.positive_whole_number,
        former="AI_EXTENSIONS_STREAM_CONNECTIONS",
    ),
    "AI_EXTENSIONS_ENABLE_EVENT_BUS_CONSUMER": Setting(
        False,
        "Run the workflows that other services ask for by the event "
        "org.openedx.ai_extensions.orchestration.requested.v1. A sender of "
        "such events then acts for any user.",
        problems.true_or_false,
    ),
    "WORKFLOW_TEMPLATE_DIRS": Setting(
        (BUILT_IN_TEMPLATE_DIR,),
        "Directories to look for workflow templates in; the first that has a template wins.",
        problems.paths,
    ),
    "OPENEDX_AI_EXTENSIONS_UI_SLOT_IDS": Setting(
        (), "Identifiers of the site's UI slots, which the admin suggests when a scope is written.", problems.texts
    ),
    "AI_EXTENSIONS_RESOLUTION_MAX_AGE": Setting(
        30,
        "Seconds after which a process looks scopes up again even if nothing told it of a change: the bound on "
        "staleness where processes share no cache.",
        problems.positive_number,
    ),
    "AI_EXTENSIONS_BACKEND": Setting(
        default_backend(),
        "Dotted path of the class that answers for courses, content, access rights and libraries. Inside the LMS and "
        "Studio the default is openedx_ai_extensions.edxapp.platform.OpenEdXPlatform.",
        problems.dotted_path,
    ),
    "AI_EXTENSIONS_STANDALONE.COURSES": Setting(
        (),
        "Courses of the standalone backend: [{path: directory or .tar.gz of an OLX export, staff: [usernames], "
        "learners: [usernames] or '*', in_exam: [usernames of those who sit an exam]}].",
        problems.courses,
        former="AI_EXTENSIONS_STANDALONE_COURSES",
    ),
    "AI_EXTENSIONS_STANDALONE.LIBRARIES": Setting(
        {},
        "Content libraries of the standalone backend: {library key: {path: directory of OLX files, made when it is "
        "first written, editors: [usernames]}}.",
        problems.libraries,
        former="AI_EXTENSIONS_STANDALONE_LIBRARIES",
    ),
    "SERVICE_VARIANT": Setting(
        "lms", "Which service this process is, 'lms' or 'cms'; the platform sets it.", problems.service_variant
    ),
    "LEARNING_MICROFRONTEND_URL": Setting(
        None,
        "Where learners read courses; links to a place in a course lead there. The platform sets it.",
        problems.web_address,
    ),
    "LMS_ROOT_URL": Setting(
        None,
        "Address of the LMS; such links lead there where there is no learning micro-frontend.",
        problems.web_address,
    ),
    "EXAMS_SERVICE_URL": Setting(
        None,
        "Address of the separate exams service's API, which is asked for the attempts of learners whose courses use "
        "it. The platform sets it.",
        problems.web_address,
    ),
    "FEATURES": Setting(
        {},
        "The platform's switches. Without ENABLE_SPECIAL_EXAMS there are no exams. Without MILESTONES_APP "
        "nothing in courses waits for something else.",
        problems.switches,
    ),
}
