"""What the endpoints accept and answer. Validation, answers and the OpenAPI description are all made from these.

What ``workflows/`` accepts and answers depends on the workflow: orchestrators validate it, ``openapi.actions``
describes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.core.validators import MaxLengthValidator, RegexValidator
from django.db import router
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers

from openedx_ai_extensions.core.portable import replace_surrogates, storage_problem, text_problem
from openedx_ai_extensions.core.redaction import masked_text, redact
from openedx_ai_extensions.edxapp.interface import RetrievalMode
from openedx_ai_extensions.exceptions import InvalidRequest
from openedx_ai_extensions.feedback.models import MAX_RUN_ID_CHARS, MAX_TEXT_CHARS
from openedx_ai_extensions.ledger.limits import LimitKind
from openedx_ai_extensions.ledger.periods import Period
from openedx_ai_extensions.models import AILimit, AIWorkflowProfile, AIWorkflowScope, AnswerFeedback, PromptTemplate
from openedx_ai_extensions.policy import RefusalReason
from openedx_ai_extensions.policy.prompt_editors import readable_body
from openedx_ai_extensions.processors.openedx.blocks.omissions import OmissionReason
from openedx_ai_extensions.prompts.models import MAX_BODY_CHARS, body_problem

Serializer = serializers.Serializer[Any]


def timestamp() -> str:
    """Now, as ISO 8601 in UTC."""
    return timezone.now().isoformat()


class TextField(serializers.CharField):
    """A text as it was sent. DRF's own field also accepts numbers, and strips spaces and refuses NUL."""

    def __init__(self, *, validators: Iterable[Any] = (), **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)
        self.validators = list(validators)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class StrictBooleanField(serializers.BooleanField):
    """DRF's own field also accepts texts and numbers."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class DigitsField(serializers.IntegerField):
    """A number of a query parameter. DRF's own field also accepts what Python takes for a number, such as ``1_000``."""

    def to_internal_value(self, data: Any) -> int:
        if not (data.isascii() and data.isdigit()):
            self.fail("invalid")
        return super().to_internal_value(data)


class MomentField(serializers.DateTimeField):
    """A time with its time zone, whatever formats and time zone the site has configured."""

    def __init__(self, **options: Any) -> None:
        super().__init__(format="iso-8601", input_formats=["iso-8601"], default_timezone=UTC, **options)

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            self.fail("invalid", format="YYYY-MM-DDThh:mm:ss+HH:MM")
        return value


class TimestampField(MomentField):
    """The time of the answer."""

    def get_attribute(self, instance: Any) -> Any:
        return timestamp()


class CountField(serializers.IntegerField):
    """A number of things, or the length of a list or text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, **options)

    def to_representation(self, value: int | Sized) -> int:
        return value if isinstance(value, int) else len(value)


_MAY_BE_EMPTY: dict[str, Any] = {"allow_blank": True, "allow_null": True, "required": False}


class ContextSerializer(Serializer):
    """Where the request comes from. The snake_case spellings of the keys are accepted too. What browsers and proxies
    do to keys (encoded twice, `+` turned into a space, `unit/` in front) is undone.
    """

    courseId = TextField(  # noqa: N815  # as clients send it
        source="course_id",
        help_text="A course key. Without it and a location, only scopes for outside of courses apply.",
        **_MAY_BE_EMPTY,
    )
    locationId = TextField(  # noqa: N815
        source="location_id", help_text="A usage key. It determines the course.", **_MAY_BE_EMPTY
    )
    uiSlotSelectorId = TextField(  # noqa: N815
        source="ui_slot_selector_id", help_text="The widget slot.", **_MAY_BE_EMPTY
    )
    serviceVariant = serializers.ChoiceField(  # noqa: N815
        AIWorkflowScope.SERVICE_VARIANTS,
        source="service_variant",
        help_text="For `profiles/` only.",
        **_MAY_BE_EMPTY,
    )

    def to_internal_value(self, data: Mapping[str, Any]) -> dict[str, str | None]:
        sent = {name: data.get(name, data.get(str(field.source))) for name, field in self.fields.items()}
        values: dict[str, str | None] = super().to_internal_value(sent)
        return {name: replace_surrogates(value) or None for name, value in values.items()}


class UIComponentSerializer(Serializer):
    component = serializers.CharField(required=False, help_text="The name of the frontend component.")
    config = serializers.DictField(required=False, help_text="The component's options.")

    def to_representation(self, instance: Any) -> Any:
        return instance  # with the keys of extensions


class UnavailableSerializer(Serializer):
    """In quiet hours: the widget stays, and can say when AI will be back."""

    message = serializers.CharField()
    reason = serializers.ChoiceField([RefusalReason.QUIET_HOURS.value])
    resumes_at = MomentField(required=False)


class OwnFeedbackSerializer(Serializer):
    """What this person said about an answer, and what the staff replied."""

    run_id = serializers.CharField()
    rating = serializers.ChoiceField(AnswerFeedback.Rating.choices, allow_blank=True)
    reason = serializers.ChoiceField(AnswerFeedback.Reason.choices, allow_blank=True)
    text = serializers.CharField(allow_blank=True)
    reported = serializers.BooleanField()
    state = serializers.ChoiceField(AnswerFeedback.State.choices)
    note = serializers.CharField(allow_blank=True, help_text="Of the staff, to this person.")


class FeedbackSerializer(OwnFeedbackSerializer):
    timestamp = TimestampField()


class FeedbackRequestSerializer(Serializer):
    run_id = TextField(
        validators=[MaxLengthValidator(MAX_RUN_ID_CHARS)],
        help_text="Of the answer: in its `start` event, in the complete answer, or in the conversation.",
    )
    rating = serializers.ChoiceField(AnswerFeedback.Rating.choices, default="", allow_blank=True)
    reason = serializers.ChoiceField(AnswerFeedback.Reason.choices, default="", allow_blank=True)
    text = TextField(default="", allow_blank=True, validators=[MaxLengthValidator(MAX_TEXT_CHARS)])
    report = StrictBooleanField(
        source="reported", default=False, help_text="The person wants the staff to look at the answer."
    )
    note_read = StrictBooleanField(default=False, help_text="The person has read the note: do not show it again.")

    def validate(self, said: dict[str, Any]) -> dict[str, Any]:
        alias = router.db_for_write(AnswerFeedback)
        for name in ("run_id", "text"):
            problem = text_problem(said[name]) or storage_problem(said[name], alias)
            if problem:
                raise serializers.ValidationError({name: problem})
        return said


class ProfileSerializer(Serializer):
    course_id = serializers.CharField(allow_null=True)
    ui_components = serializers.DictField(child=UIComponentSerializer())
    unavailable = UnavailableSerializer(required=False)
    has_consented = serializers.BooleanField(
        required=False, help_text="This person has accepted the notice about AI here. Missing if not."
    )
    feedback_notes = OwnFeedbackSerializer(
        many=True, required=False, help_text="Notes of the staff that this person has not read yet. Missing if none."
    )
    timestamp = TimestampField()


class NoConfigSerializer(Serializer):
    """The widget renders nothing."""

    status = serializers.ChoiceField(["no_config"])
    timestamp = TimestampField()


class RecipientSerializer(Serializer):
    provider = serializers.CharField()
    region = serializers.CharField(allow_null=True)


class NoticeSerializer(Serializer):
    text = serializers.CharField(help_text="Plain text.")
    version = CountField(help_text="The number of the wording.")
    fingerprint = serializers.CharField(help_text="To be sent back when the notice is accepted.")
    providers = RecipientSerializer(many=True, help_text="The recipients of the person's input.")


class ConsentSerializer(Serializer):
    required = serializers.BooleanField(  # type: ignore[assignment]  # no attribute: DRF collects the fields
        help_text="There is a notice to accept."
    )
    accepted = serializers.BooleanField(help_text="This person has accepted its current state.")
    notice = NoticeSerializer(allow_null=True)
    timestamp = TimestampField()


class ConsentRequestSerializer(Serializer):
    accepted = StrictBooleanField(help_text="`false` withdraws every acceptance of this notice.")
    fingerprint = TextField(help_text="Of the notice that was shown; required to accept it.", **_MAY_BE_EMPTY)


class AmountField(serializers.Field):  # no type parameters: DRF 3.14 takes none
    """Money as a decimal number in a text, as a JSON number would be rounded; other amounts as whole numbers."""

    def to_representation(self, value: int | Decimal) -> int | str:
        return str(value) if isinstance(value, Decimal) else value


class LimitSerializer(Serializer):
    """Amounts that this person may not see are null. Amounts of money are texts."""

    scope = serializers.ChoiceField(AILimit.Per.choices, help_text="What has a limit of its own.")
    period = serializers.ChoiceField(Period.choices)
    kind = serializers.ChoiceField([*LimitKind], help_text="What is counted.")
    limit = AmountField(allow_null=True)
    used = AmountField(allow_null=True)
    left = AmountField(allow_null=True)
    exhausted = serializers.BooleanField()
    resets_at = MomentField(allow_null=True, help_text="null if nothing is allowed, now or later.")


class LimitsSerializer(Serializer):
    limits = LimitSerializer(many=True, help_text="The narrowest first.")
    timestamp = TimestampField()


class ScopeSerializer(Serializer):
    id = serializers.CharField()
    course_id = serializers.CharField(allow_null=True)
    service_variant = serializers.ChoiceField(AIWorkflowScope.SERVICE_VARIANTS)
    enabled = serializers.BooleanField()
    ui_slot_selector_id = serializers.CharField()
    location_regex = serializers.CharField(allow_null=True)
    specificity_index = CountField()


class ProfileUsageSerializer(Serializer):
    scope_count = CountField(help_text="The number of all its scopes.")


class ConfiguredProfileSerializer(Serializer):
    id = serializers.CharField()
    slug = serializers.CharField()
    description = serializers.SerializerMethodField()
    effective_config = serializers.SerializerMethodField(help_text="Credentials are `[REDACTED]`.")
    scopes = ScopeSerializer(source="matched_scopes", many=True, help_text="Those that match the context.")
    usage = ProfileUsageSerializer(source="*")

    def get_description(self, profile: AIWorkflowProfile) -> str:
        return masked_text(profile.description or "", self.context["secrets"])

    def get_effective_config(self, profile: AIWorkflowProfile) -> dict[str, Any]:
        return redact(profile.config, self.context["secrets"])


class ConfiguredProfilesSerializer(Serializer):
    profiles = ConfiguredProfileSerializer(many=True)
    count = CountField(source="profiles")
    timestamp = TimestampField()


class CourseTextQuerySerializer(Serializer):
    retrieval_mode = serializers.ChoiceField(
        [*RetrievalMode], default=RetrievalMode.UNIT, help_text="How much around the location is read."
    )
    char_limit = DigitsField(
        default=None,
        min_value=1,
        max_value=999_999_999,
        help_text="The maximum number of characters; no limit by default.",
    )


class OmissionSerializer(Serializer):
    location_id = serializers.CharField(source="usage_key")
    block_type = serializers.CharField(source="category")
    reason = serializers.ChoiceField(OmissionReason.choices)
    message = serializers.CharField(source="reason.label")


class CourseTextSerializer(Serializer):
    text = serializers.CharField(help_text="What a model reads.")
    characters = CountField(source="text")
    left_out = OmissionSerializer(
        source="omissions", many=True, help_text="What it does not read, and why: a row for each block and reason."
    )
    timestamp = TimestampField()


class PromptUsageSerializer(Serializer):
    profile_count = CountField()


class PromptSerializer(Serializer):
    id = serializers.UUIDField(source="uuid")
    slug = serializers.CharField()
    body = serializers.SerializerMethodField()
    created_at = MomentField()
    updated_at = MomentField()
    usage = PromptUsageSerializer(source="*")

    def get_body(self, prompt: PromptTemplate) -> str:
        return readable_body(prompt, self.context["request"].user)


class PromptRequestSerializer(Serializer):
    body = TextField(
        validators=[
            RegexValidator(r"\S", serializers.CharField.default_error_messages["blank"]),
            MaxLengthValidator(MAX_BODY_CHARS),
        ]
    )
    updated_at = MomentField(
        required=False, allow_null=True, help_text="Of the text that was read: refused if there is a newer one."
    )

    def to_internal_value(self, data: Mapping[str, Any]) -> dict[str, Any]:
        unknown = sorted(set(data) - set(self.fields))
        if unknown:
            raise InvalidRequest(_("Only body can be changed, not: {names}.").format(names=", ".join(unknown)))
        values: dict[str, Any] = super().to_internal_value(data)
        return values

    def validate_body(self, body: str) -> str:
        problem = body_problem(body)
        if problem:
            raise serializers.ValidationError(problem)
        return body
