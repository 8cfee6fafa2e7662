"""Every Django setting this app reads: name, default, meaning and validation. Nothing else reads settings.

A site's own value always wins. Values are read once and kept until Django says that a setting changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings as django_settings
from django.core.signals import setting_changed
from opaque_keys import InvalidKeyError
from opaque_keys.edx.keys import LearningContextKey
from opaque_keys.edx.locator import LibraryLocatorV2

PACKAGE_DIR = Path(__file__).resolve().parent
BUILT_IN_TEMPLATE_DIR = PACKAGE_DIR / "workflows" / "profiles"


def _positive_number(value: Any) -> str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return None if is_number and value > 0 else "must be a number greater than 0"


def _positive_whole_number(value: Any) -> str | None:
    return "must be a whole number, 1 or more" if value == 0 else _whole_number(value)


def _whole_number(value: Any) -> str | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return None if is_whole and value >= 0 else "must be a whole number, 0 or more"


def _providers(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return "must be a dictionary of provider name to its parameters"
    for name, parameters in value.items():
        if not isinstance(parameters, Mapping) or not isinstance(parameters.get("MODEL"), str):
            return f"provider {name!r} must be a dictionary with a MODEL such as 'openai/gpt-4.1-mini'"
    return None


def _paths(value: Any) -> str | None:
    is_list = isinstance(value, list | tuple) and all(isinstance(item, str | Path) for item in value)
    return None if is_list else "must be a list of directories"


def _dotted_path(value: Any) -> str | None:
    return None if isinstance(value, str) and "." in value else "must be a dotted path to a class"


def _texts(value: Any) -> str | None:
    is_list = isinstance(value, list | tuple) and all(isinstance(item, str) for item in value)
    return None if is_list else "must be a list of texts"


def _true_or_false(value: Any) -> str | None:
    return None if isinstance(value, bool) else "must be True or False"


def _service_variant(value: Any) -> str | None:
    return None if value in {"lms", "cms"} else "must be 'lms' or 'cms'"


def _courses(value: Any) -> str | None:
    is_list = isinstance(value, list | tuple) and all(isinstance(c, Mapping) and "path" in c for c in value)
    return None if is_list else "must be a list of dictionaries, each with a path"


def _libraries(value: Any) -> str | None:
    if not isinstance(value, Mapping):
        return "must be a dictionary of library key, such as 'lib:Org:slug', to a dictionary"
    for key, entry in value.items():
        if not _is_library_key(key):
            return f"key {key!r} must be a library key such as 'lib:Org:slug'"
        if not isinstance(entry, Mapping) or not isinstance(entry.get("path"), str | Path):
            return f"library {key!r} must be a dictionary with a path"
        if _texts(entry.get("editors", ())):
            return f"library {key!r} must have editors that are a list of usernames"
    return None


def _is_library_key(key: Any) -> bool:
    try:
        return isinstance(LearningContextKey.from_string(str(key)), LibraryLocatorV2)
    except InvalidKeyError:
        return False


def default_backend() -> str:
    """The class that answers where the site names none: the platform's, if this process runs inside edx-platform."""
    if all(find_spec(name) for name in ("lms", "xmodule")):
        return "openedx_ai_extensions.edxapp.platform.OpenEdXPlatform"
    return "openedx_ai_extensions.edxapp.standalone.StandalonePlatform"


def _web_address(value: Any) -> str | None:
    is_address = isinstance(value, str) and value.startswith(("http://", "https://", "//"))
    return None if not value or is_address else "must be a web address such as 'https://learn.example.com'"


def _mcp_servers(value: Any) -> str | None:
    # A problem names the server and the key only: addresses and headers hold secrets.
    if not isinstance(value, Mapping) or not all(isinstance(name, str) and name for name in value):
        return "must be a dictionary of MCP server name to its parameters"
    for name, parameters in value.items():
        if not isinstance(parameters, Mapping) or not all(isinstance(key, str) for key in parameters):
            return f"server {name!r} must be a dictionary with a URL"
        normal = _mcp_parameters(parameters)
        for key, is_good, what in _MCP_PARAMETERS:
            if not is_good(normal.get(key)):
                return f"server {name!r} must have {what}"
    return None


def _mcp_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    normal = {key.lower(): value for key, value in parameters.items()}
    return {**normal, "url": normal.get("url", normal.get("server_url"))}


_MCP_PARAMETERS: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("url", lambda v: isinstance(v, str) and v.startswith(("http://", "https://")), "a URL with http or https"),
    (
        "headers",
        lambda v: v is None or (isinstance(v, Mapping) and all(isinstance(t, str) for t in (*v, *v.values()))),
        "HEADERS that are a dictionary of texts",
    ),
    ("allowed_tools", lambda v: v is None or _texts(v) is None, "ALLOWED_TOOLS that are a list of names"),
    ("timeout", lambda v: v is None or _positive_number(v) is None, "a TIMEOUT of more than 0 seconds"),
    ("transport", lambda v: v in (None, "streamable_http", "sse"), "a TRANSPORT that is 'streamable_http' or 'sse'"),
    ("through", lambda v: v in (None, "auto", "client"), "a THROUGH that is 'auto' or 'client'"),
)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: ``problem(value)`` returns what is wrong with a value, or None."""

    default: Any
    meaning: str
    problem: Callable[[Any], str | None]


SETTINGS: Mapping[str, Setting] = {
    "AI_EXTENSIONS": Setting(
        {},
        "LLM providers by name: {name: {MODEL, API_KEY, API_BASE, any LiteLLM parameter}}. "
        "For us are CONNECT_TIMEOUT, FIRST_BYTE_TIMEOUT, TOTAL_TIMEOUT, MAX_INPUT_TOKENS and CAPABILITIES. A profile "
        "that asks for 'default' gets the entry of that name, or else the first.",
        _providers,
    ),
    "SERVICE_VARIANT": Setting(
        "lms", "Which service this process is, 'lms' or 'cms'; the platform sets it.", _service_variant
    ),
    "WORKFLOW_TEMPLATE_DIRS": Setting(
        (BUILT_IN_TEMPLATE_DIR,),
        "Directories to look for workflow templates in; the first that has a template wins.",
        _paths,
    ),
    "AI_EXTENSIONS_BACKEND": Setting(
        default_backend(),
        "Dotted path of the class that answers for courses, content, access rights and libraries. Inside the LMS and "
        "Studio the default is openedx_ai_extensions.edxapp.platform.OpenEdXPlatform.",
        _dotted_path,
    ),
    "AI_EXTENSIONS_STANDALONE_COURSES": Setting(
        (),
        "Courses of the standalone backend: [{path: directory or .tar.gz of an OLX export, staff: [usernames], "
        "learners: [usernames] or '*'}].",
        _courses,
    ),
    "AI_EXTENSIONS_STANDALONE_LIBRARIES": Setting(
        {},
        "Content libraries of the standalone backend: {library key: {path: directory of OLX files, made when it is "
        "first written, editors: [usernames]}}.",
        _libraries,
    ),
    "OPENEDX_AI_EXTENSIONS_UI_SLOT_IDS": Setting(
        (), "Identifiers of the site's UI slots, which the admin suggests when a scope is written.", _texts
    ),
    "AI_EXTENSIONS_MAX_INPUT_CHARS": Setting(
        20_000, "Longest user input accepted, in characters of its JSON form.", _whole_number
    ),
    "AI_EXTENSIONS_MAX_SAVE_CHARS": Setting(
        500_000,
        "Longest input of the action save (flashcards, quiz questions), in characters of its JSON form.",
        _whole_number,
    ),
    "AI_EXTENSIONS_CONNECT_TIMEOUT": Setting(5, "Seconds to reach a provider.", _positive_number),
    "AI_EXTENSIONS_FIRST_BYTE_TIMEOUT": Setting(
        60, "Seconds until a provider's first byte, and between two chunks of a stream.", _positive_number
    ),
    "AI_EXTENSIONS_TOTAL_TIMEOUT": Setting(180, "Seconds for one whole answer, retries included.", _positive_number),
    "AI_EXTENSIONS_MAX_RETRIES": Setting(
        2, "How often a failed provider call is tried again before the first token.", _whole_number
    ),
    "AI_EXTENSIONS_MAX_CONTEXT_MESSAGES": Setting(
        10,
        "How many of the last messages of a conversation go to the model and to a widget that opens, unless the "
        "profile says otherwise.",
        _positive_whole_number,
    ),
    "AI_EXTENSIONS_MAX_TOOL_ROUNDS": Setting(
        6, "How often a model may ask for tools before it must answer.", _whole_number
    ),
    "AI_EXTENSIONS_ASYNC_SOFT_TIME_LIMIT": Setting(
        240, "Seconds after which a run in the background is told to stop.", _positive_number
    ),
    "AI_EXTENSIONS_ASYNC_TIME_LIMIT": Setting(
        270, "Seconds after which the worker process of a run in the background is killed.", _positive_number
    ),
    "AI_EXTENSIONS_ASYNC_QUEUE_TIME_LIMIT": Setting(
        300, "Seconds that a run in the background waits for a worker; after that it is not begun.", _positive_number
    ),
    "AI_EXTENSIONS_ASYNC_LEASE": Setting(
        8,
        "Seconds after which a worker that gives no sign of life counts as dead; it gives four in this time. More than "
        "the difference between the clocks of web and worker hosts.",
        _positive_number,
    ),
    "AI_EXTENSIONS_RESOLUTION_MAX_AGE": Setting(
        30,
        "Seconds after which a process looks scopes up again even if nothing told it of a change: the bound on "
        "staleness where processes share no cache.",
        _positive_number,
    ),
    "AI_EXTENSIONS_MCP_CONFIGS": Setting(
        {},
        "MCP servers by name, whose tools profiles may enable: {name: {URL, HEADERS, ALLOWED_TOOLS: [names], TIMEOUT: "
        "seconds (15), TRANSPORT: 'streamable_http' or 'sse', THROUGH: 'auto' or 'client'}}; only URL is needed.",
        _mcp_servers,
    ),
    "AI_EXTENSIONS_ENABLE_EVENT_BUS_CONSUMER": Setting(
        False,
        "Run the workflows that other services ask for by the event "
        "org.openedx.ai_extensions.orchestration.requested.v1. Whoever may send events to this service then speaks "
        "for any of its users.",
        _true_or_false,
    ),
    "LEARNING_MICROFRONTEND_URL": Setting(
        None,
        "Where learners read courses; links to a place in a course lead there. The platform sets it.",
        _web_address,
    ),
    "LMS_ROOT_URL": Setting(
        None, "Address of the LMS; such links lead there where there is no learning micro-frontend.", _web_address
    ),
}


def get(name: str) -> Any:
    """The site's value of a setting named in ``SETTINGS``, or its default.

    Raises:
        KeyError: the setting is not one of ours.
    """
    try:
        return _values[name]
    except KeyError:
        return _values.setdefault(name, getattr(django_settings, name, SETTINGS[name].default))


_values: dict[str, Any] = {}


def _forget_values(**_kwargs: Any) -> None:
    _values.clear()


setting_changed.connect(_forget_values)


def providers() -> Mapping[str, Mapping[str, Any]]:
    """The configured LLM providers by name, in the order the site wrote them."""
    configured: Mapping[str, Mapping[str, Any]] = get("AI_EXTENSIONS")
    return configured


def mcp_servers() -> Mapping[str, Mapping[str, Any]]:
    """The configured MCP servers by name: keys in lower case, the address under ``url``. Those that can't be used
    are left out; ``manage.py check`` says why.
    """
    configured = get("AI_EXTENSIONS_MCP_CONFIGS")
    names = configured if isinstance(configured, Mapping) else {}
    return {name: _mcp_parameters(configured[name]) for name in names if not _mcp_servers({name: configured[name]})}


def longest_answer() -> float:
    """Seconds that an answer may take, of whichever provider."""
    own = [value for entry in providers().values() for name, value in entry.items() if name.lower() == "total_timeout"]
    return max(map(float, [get("AI_EXTENSIONS_TOTAL_TIMEOUT"), *own]))


def service_variant() -> str:
    """Which service this process is: ``"lms"`` or ``"cms"``."""
    variant: str = get("SERVICE_VARIANT")
    return variant
