"""What the endpoints that only show something answer, and what ``consent/`` and ``prompts/`` take."""

from __future__ import annotations

from openedx_ai_extensions.api.v1.openapi.shapes import (
    COUNT,
    MOMENT,
    MOMENT_OR_NULL,
    TEXT,
    TEXT_OR_NULL,
    YES_OR_NO,
    Schema,
    a_list,
    an_object,
    described,
    one_word,
    ref,
    words,
)
from openedx_ai_extensions.ledger.limits import LimitKind
from openedx_ai_extensions.ledger.periods import Period
from openedx_ai_extensions.models import AILimit, AIWorkflowScope
from openedx_ai_extensions.policy import RefusalReason
from openedx_ai_extensions.processors.openedx.blocks.omissions import OmissionReason
from openedx_ai_extensions.prompts.models import MAX_BODY_CHARS

_VARIANT = words(dict(AIWorkflowScope.SERVICE_VARIANTS))
# Money is a text; and null is for what is not this person's business.
_AMOUNT: Schema = {"type": ["integer", "string", "null"]}

SCHEMAS: dict[str, Schema] = {
    "Context": an_object(
        optional={
            "courseId": described(
                TEXT_OR_NULL,
                "A course key. Without it and a location, only scopes for outside of courses answer.",
                examples=["course-v1:OpenedX+AIX+demo"],
            ),
            "locationId": described(
                TEXT_OR_NULL,
                "A usage key; it brings its course along.",
                examples=["block-v1:OpenedX+AIX+demo+type@vertical+block@unit_sunlight"],
            ),
            "uiSlotSelectorId": described(TEXT_OR_NULL, "The widget slot.", examples=["unit-summary"]),
            "serviceVariant": described(
                {"enum": [*dict(AIWorkflowScope.SERVICE_VARIANTS), "", None]}, "For `profiles/` only."
            ),
        },
        description="Where the request comes from. The snake_case spellings of the keys are accepted too. What "
        "browsers and proxies make of keys (encoded twice, `+` turned into a space, `unit/` in front) is mended.",
    ),
    "Component": an_object(
        optional={
            "component": described(TEXT, "The name of the frontend component."),
            "config": {"type": "object", "description": "What the component is told."},
        }
    ),
    "Profile": an_object(
        {
            "course_id": TEXT_OR_NULL,
            "ui_components": {"type": "object", "additionalProperties": ref("Component")},
            "timestamp": MOMENT,
        },
        {
            "unavailable": an_object(
                {"message": TEXT, "reason": words([RefusalReason.QUIET_HOURS])},
                {"resumes_at": MOMENT},
                description="In quiet hours: the widget stays, and can say when AI is back.",
            )
        },
    ),
    "NoConfig": an_object(
        {"status": one_word("no_config"), "timestamp": MOMENT}, description="The widget renders nothing."
    ),
    "Notice": an_object(
        {
            "text": described(TEXT, "Plain text."),
            "version": described(COUNT, "Counts its wordings."),
            "fingerprint": described(TEXT, "To be sent back by whoever accepts."),
            "providers": a_list(
                an_object({"provider": TEXT, "region": TEXT_OR_NULL}), description="Who gets what is asked."
            ),
        }
    ),
    "Consent": an_object(
        {
            "required": described(YES_OR_NO, "There is a notice to accept."),
            "accepted": described(YES_OR_NO, "This person has accepted it as it is now."),
            "notice": {"anyOf": [ref("Notice"), {"type": "null"}]},
            "timestamp": MOMENT,
        }
    ),
    "ConsentRequest": an_object(
        {"accepted": described(YES_OR_NO, "false takes back all that was accepted of this notice.")},
        {"fingerprint": {"description": "Of the notice that was shown; required to accept one.", "examples": ["3f…"]}},
    ),
    "Limit": an_object(
        {
            "scope": words(AILimit.Per.values, description="For each of what it is."),
            "period": words(Period.values),
            "kind": words(LimitKind, description="What it counts."),
            "limit": _AMOUNT,
            "used": _AMOUNT,
            "left": _AMOUNT,
            "exhausted": YES_OR_NO,
            "resets_at": described(MOMENT_OR_NULL, "null where nothing is allowed."),
        },
        description="Amounts of money are texts. Amounts that are not this person's business are null.",
    ),
    "Limits": an_object({"limits": a_list(ref("Limit"), description="The narrowest first."), "timestamp": MOMENT}),
    "Scope": an_object(
        {
            "id": TEXT,
            "course_id": TEXT_OR_NULL,
            "service_variant": _VARIANT,
            "enabled": YES_OR_NO,
            "ui_slot_selector_id": TEXT,
            "location_regex": TEXT_OR_NULL,
            "specificity_index": COUNT,
        }
    ),
    "ConfiguredProfile": an_object(
        {
            "id": TEXT,
            "slug": TEXT,
            "description": TEXT_OR_NULL,
            "effective_config": {"type": "object", "description": "Credentials are `[REDACTED]`."},
            "scopes": a_list(ref("Scope"), description="Those that lead to it here."),
            "usage": an_object({"scope_count": described(COUNT, "Of all its scopes.")}),
        }
    ),
    "ConfiguredProfiles": an_object(
        {"profiles": a_list(ref("ConfiguredProfile")), "count": COUNT, "timestamp": MOMENT}
    ),
    "CourseText": an_object(
        {
            "text": described(TEXT, "What a model reads."),
            "characters": COUNT,
            "left_out": a_list(
                an_object(
                    {"location_id": TEXT, "block_type": TEXT, "reason": words(OmissionReason.values), "message": TEXT}
                ),
                description="What it does not read, and why: a row for each block and reason.",
            ),
            "timestamp": MOMENT,
        }
    ),
    "Prompt": an_object(
        {
            "id": TEXT,
            "slug": TEXT,
            "body": TEXT,
            "created_at": MOMENT,
            "updated_at": MOMENT,
            "usage": an_object({"profile_count": COUNT}),
        }
    ),
    "PromptRequest": an_object(
        {
            "body": described(
                TEXT, "Not blank.", pattern=r"\S", maxLength=MAX_BODY_CHARS, examples=["Explain it in simple words."]
            )
        },
        {"updated_at": described(MOMENT, "Of the wording that was read: refused when there is a newer one.")},
        additionalProperties=False,
    ),
}
