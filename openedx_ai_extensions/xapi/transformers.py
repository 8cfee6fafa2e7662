"""Transforms our events into xAPI statements. Importing this module registers the transformers."""

from __future__ import annotations

from event_routing_backends.processors.xapi import constants as xapi
from event_routing_backends.processors.xapi.registry import XApiTransformersRegistry
from event_routing_backends.processors.xapi.transformer import XApiTransformer
from tincan import Activity, ActivityDefinition, Extensions, LanguageMap, Result, Verb

from openedx_ai_extensions.xapi import constants


class AIWorkflowTransformer(XApiTransformer):
    """An AI workflow as an xAPI activity; a subclass sets the verb."""

    def get_object(self) -> Activity:
        profile = self.get_data("data.profile_name", required=True)
        action = self.get_data("data.action", required=True)
        return Activity(
            id=self.get_object_iri("ai_workflow", f"{profile}__{action}"),
            definition=ActivityDefinition(
                type=constants.ACTIVITY_AI_WORKFLOW,
                name=LanguageMap({xapi.EN: profile}),
                description=LanguageMap({xapi.EN: constants.ACTIVITY_DESCRIPTION}),
                extensions=self._extensions(),
            ),
        )

    def _extensions(self) -> Extensions:
        """Unknown values are None here, and are omitted from the statement."""
        return Extensions(
            {
                constants.EXTENSION_ACTION: self.get_data("data.action"),
                constants.EXTENSION_PROMPT_TEMPLATE: self.get_data("data.prompt_template_slug"),
                constants.EXTENSION_LOCATION: self.get_data("data.location_id"),
                constants.EXTENSION_USAGE: self.get_data("data.usage"),
            }
        )


@XApiTransformersRegistry.register(constants.EVENT_COMPLETED)
class CompletedTransformer(AIWorkflowTransformer):
    """A workflow without a conversation has answered."""

    _verb = Verb(id=constants.VERB_COMPLETED, display=LanguageMap({xapi.EN: "completed"}))


@XApiTransformersRegistry.register(constants.EVENT_INITIALIZED)
class InitializedTransformer(AIWorkflowTransformer):
    """The first turn of a conversation has ended."""

    _verb = Verb(id=constants.VERB_INITIALIZED, display=LanguageMap({xapi.EN: "initialized"}))


@XApiTransformersRegistry.register(constants.EVENT_INTERACTED)
class InteractedTransformer(AIWorkflowTransformer):
    """A further turn of a conversation has ended."""

    _verb = Verb(id=constants.VERB_INTERACTED, display=LanguageMap({xapi.EN: "interacted"}))


class AIAnswerTransformer(XApiTransformer):
    """One answer as an xAPI activity. Its type is not that of workflows, whose statements are counted as answers."""

    def get_object(self) -> Activity:
        return Activity(
            id=self.get_object_iri("ai_answer", self.get_data("data.run_id", required=True)),
            definition=ActivityDefinition(
                type=constants.ACTIVITY_AI_ANSWER,
                name=LanguageMap({xapi.EN: self.get_data("data.profile_name", required=True)}),
                extensions=Extensions(
                    {
                        constants.EXTENSION_ACTION: self.get_data("data.action"),
                        constants.EXTENSION_VERSION: self.get_data("data.profile_version"),
                        constants.EXTENSION_LOCATION: self.get_data("data.location_id"),
                        constants.EXTENSION_REASON: self.get_data("data.reason") or None,
                    }
                ),
            ),
        )


@XApiTransformersRegistry.register(constants.EVENT_RATED)
class RatedTransformer(AIAnswerTransformer):
    """A person has rated an answer. The result is ``up`` or ``down``."""

    _verb = Verb(id=xapi.XAPI_VERB_VOTED, display=LanguageMap({xapi.EN: "voted"}))
    additional_fields = ("result",)

    def get_result(self) -> Result:
        return Result(response=self.get_data("data.rating", required=True))


@XApiTransformersRegistry.register(constants.EVENT_REPORTED)
class ReportedTransformer(AIAnswerTransformer):
    """A person has reported an answer."""

    _verb = Verb(id=xapi.XAPI_VERB_REPORTED, display=LanguageMap({xapi.EN: "reported"}))
