"""In which language a model writes."""

from __future__ import annotations

from functools import lru_cache

from django.utils.translation import get_language_info

from openedx_ai_extensions.prompts.builtin import builtin_prompt

LEARNER, COURSE = "learner", "course"


@lru_cache(maxsize=256)
def language_rule(choice: str, *, course: str, reader: str | None) -> str:
    """The rule about the language of an answer, for the system prompt.

    Args:
        choice: ``LEARNER``, ``COURSE`` or the code of a language.
        course: the code of the course's language, or of the site's.
        reader: the code of the language that the learner reads; None if it is not known.
    """
    if choice != LEARNER:
        return _naming("language_of_profile", course if choice == COURSE else choice)
    learner = reader or course
    # In a course in the learner's language, the rule without a name says the same: the prompt and its cost stay.
    return builtin_prompt("language") if _is_same(learner, course) else _naming("language_of_learner", learner)


def _is_same(one: str, other: str) -> bool:
    """Are these the same language? Of two countries, or in two scripts, they are not; ``en`` and ``en-us`` are."""
    one, other = _normal(one), _normal(other)
    return one == other or f"{one}-".startswith(f"{other}-") or f"{other}-".startswith(f"{one}-")


def _naming(rule: str, code: str) -> str:
    return builtin_prompt(rule).replace("{language}", _name(_normal(code)))


def _name(code: str) -> str:
    """The name in English, with the code if it says more, such as the country."""
    try:
        info = get_language_info(code)
    except KeyError:
        return f"the language with the code {code}"
    name: str = info["name"]
    return name if info["code"] == code else f"{name} ({code})"


def _normal(code: str) -> str:
    return code.lower().replace("_", "-")
