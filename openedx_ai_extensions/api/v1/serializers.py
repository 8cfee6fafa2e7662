"""Models as the wire shows them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import Count

from openedx_ai_extensions.core.redaction import masked_text, redact
from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope, PromptTemplate
from openedx_ai_extensions.policy.prompt_editors import readable_body
from openedx_ai_extensions.processors.openedx.blocks.omissions import BlockText


def profiles_data(profiles: Sequence[AIWorkflowProfile], secrets: Collection[str]) -> list[dict[str, Any]]:
    """Profiles from ``list_profiles_for_context``, as ``profile_data``, with one query for all counts."""
    scopes = AIWorkflowScope.objects.filter(profile__in=profiles).order_by()
    counts = dict(scopes.values_list("profile").annotate(Count("pk")))
    return [profile_data(profile, secrets, counts[profile.pk]) for profile in profiles]


def profile_data(profile: AIWorkflowProfile, secrets: Collection[str], scope_count: int) -> dict[str, Any]:
    """A profile with its effective configuration, without credentials, and the scopes that led to it."""
    return {
        "id": str(profile.pk),
        "slug": profile.slug,
        "description": masked_text(profile.description or "", secrets),
        "effective_config": redact(profile.config, secrets),
        "scopes": [_scope_data(scope) for scope in vars(profile)["matched_scopes"]],
        "usage": {"scope_count": scope_count},
    }


def _scope_data(scope: AIWorkflowScope) -> dict[str, Any]:
    return {
        "id": str(scope.pk),
        "course_id": str(scope.course_id) if scope.course_id else None,
        "service_variant": scope.service_variant,
        "enabled": scope.enabled,
        "ui_slot_selector_id": scope.ui_slot_selector_id,
        "location_regex": scope.location_regex,
        "specificity_index": scope.specificity_index,
    }


def reading_data(reading: BlockText) -> dict[str, Any]:
    """What a model reads at a place, and what it doesn't."""
    return {
        "text": reading.text,
        "characters": len(reading.text),
        "left_out": [
            {
                "location_id": str(entry.usage_key),
                "block_type": entry.category,
                "reason": entry.reason.value,
                "message": str(entry.reason.label),
            }
            for entry in reading.omissions
        ],
    }


def prompt_data(prompt: PromptTemplate, profile_count: int, reader: Person) -> dict[str, Any]:
    """A prompt as this person may read it, and how many profiles use it."""
    return {
        "id": str(prompt.uuid),
        "slug": prompt.slug,
        "body": readable_body(prompt, reader),
        "created_at": prompt.created_at,
        "updated_at": prompt.updated_at,
        "usage": {"profile_count": profile_count},
    }
