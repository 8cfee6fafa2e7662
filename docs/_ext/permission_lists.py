"""Every permission, and what it opens, as reStructuredText."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.apps import apps
from rst_tables import plain, table

APP = "openedx_ai_extensions"

# What it takes to see or do what in the admin. A model that stands here without words has no page there.
PAGES: Mapping[str, str] = {
    "aiworkflowprofile": "The pages of profiles: list, form and history. *view* shows patches without credentials "
    "and comments. *change* shows them unmasked, and restores versions.",
    "aiworkflowscope": "The pages of scopes. *view* includes *Why here?*. *Import and export* requires the "
    "permissions to add and change each kind of object.",
    "prompttemplate": "The pages of prompt templates.",
    "ailimit": "The pages of limits, which also list the limits of the settings.",
    "aipause": "The pages of pauses. *add* and *change* disable and enable AI features.",
    "ainotice": "The pages of AI notices.",
    "ainoticeversion": "Versions of notices, on the page of the notice.",
    "answerfeedback": "The list of feedback on answers, with people's names. *change* sets the state and the note. The "
    "question and the answer require ``view_transcript``.",
    "aiconsent": "The list of consents, and its export. Consents cannot be changed or deleted there.",
    "aiworkflowrun": "The list of runs, with people's names. Runs cannot be deleted there.",
    "aiworkflowsession": "The list of sessions. Sessions cannot be changed or deleted there.",
    "aiworkflowasyncrun": "",
    "aiusagetotal": "",
}
SPECIAL: Mapping[str, str] = {
    "view_transcript": "With *view* of sessions: their transcripts; beside feedback, the question and the answer. Each "
    "view is recorded.",
    "view_usage_report": "The usage report and its CSV file, with people's names; money on the course's own page.",
    "try_workflow": "*Try it* as oneself, and *What would the model see?*. Calls of real models cost money, and count "
    "towards one's own limits. Unsaved profiles also require *add* or *change* of profiles.",
    "try_as_another": "*Try it* as another user. Shows course content that this user can see.",
    "view_health": "*Health*, and a short test request to a provider, which costs a little.",
}


def permissions() -> dict[str, tuple[str, Any]]:
    """Codename to what people read of it, and the model."""
    found: dict[str, tuple[str, Any]] = {}
    for model in apps.get_app_config(APP).get_models():
        opts = model._meta
        for verb in opts.default_permissions:
            found[f"{verb}_{opts.model_name}"] = (f"Can {verb} {opts.verbose_name}", model)
        found |= {name: (str(words), model) for name, words in opts.permissions}
    return found


def permissions_text() -> str:
    """Those of the models first, then those of their own.

    Raises:
        ValueError: nothing is said of one, or of one that is no more.
    """
    known = permissions()
    special = {name for name, (_words, model) in known.items() if name.partition("_")[2] != model._meta.model_name}
    models = {model._meta.model_name for name, (_words, model) in known.items() if name not in special}
    if special != SPECIAL.keys() or models != PAGES.keys():
        raise ValueError(
            f"permission_lists.py and the models differ in: {sorted(special ^ SPECIAL.keys() | models ^ PAGES.keys())}"
        )
    rows = [*_of_models(known, special), *((f"``{name}``", SPECIAL[name]) for name in sorted(special))]
    return table(("Permission", "What it opens"), (40, 60), rows)


def _of_models(known: Mapping[str, tuple[str, Any]], special: set[str]) -> Iterator[tuple[str, str]]:
    for model, said in PAGES.items():
        names = [name for name, (_words, of) in known.items() if of._meta.model_name == model and name not in special]
        title = plain(next(of for name, (_words, of) in known.items() if name in names)._meta.verbose_name_plural)
        yield ", ".join(f"``{name}``" for name in names), said or f"None: {title} have no page."
