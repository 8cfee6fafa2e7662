"""Prompts that can be edited without changing a profile."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, router
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.core.portable import find_unfit, storage_problem, text_problem
from openedx_ai_extensions.workflows.configuration import ConfigurationModel, ConfigurationQuerySet

MAX_BODY_CHARS = 100_000  # characters

_loaded: ContextVar[Mapping[str, PromptTemplate] | None] = ContextVar("loaded_prompts", default=None)


def body_problem(body: str) -> str | None:
    """Why a text cannot be a prompt or cannot be stored; None if it can."""
    return _content_problem(body) or storage_problem(body, router.db_for_write(PromptTemplate))


def _content_problem(body: str) -> str | None:
    if not body.strip():
        return _("The text must not be blank.")
    if len(body) > MAX_BODY_CHARS:
        return _("It is longer than {count} characters.").format(count=MAX_BODY_CHARS)
    return text_problem(body)


class PromptQuerySet(ConfigurationQuerySet["PromptTemplate"]):
    """Finds prompts by the references that profiles contain."""

    def lookup(self, ref: str) -> PromptTemplate | None:
        """The prompt with this slug or UUID (in any spelling); None if there is none."""
        if find_unfit(ref) is not None:  # some databases refuse such a parameter
            return None
        loaded = _loaded.get()
        by_slug = self._by_slug if loaded is None else loaded.get
        identifier = _as_uuid(ref)
        if identifier is None:
            return by_slug(ref)
        by_uuid = self.filter(uuid=identifier).first() if loaded is None else loaded.get(identifier.hex)
        return by_uuid or by_slug(ref)

    def _by_slug(self, slug: str) -> PromptTemplate | None:
        # Some databases compare case-insensitively and ignore trailing spaces; slugs are exact.
        return next((prompt for prompt in self.filter(slug=slug) if prompt.slug == slug), None)

    @contextmanager
    def preloaded(self) -> Iterator[None]:
        """Inside the block, one query answers all calls of ``lookup``: for pages that check many profiles."""
        with lookups_from(self.defer("body")):
            yield


@contextmanager
def lookups_from(prompts: Iterable[PromptTemplate]) -> Iterator[None]:
    """Inside the block, ``lookup`` finds these prompts only."""
    known = list(prompts)
    token = _loaded.set({prompt.slug: prompt for prompt in known} | {prompt.uuid.hex: prompt for prompt in known})
    try:
        yield
    finally:
        _loaded.reset(token)


def _as_uuid(ref: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(ref)
    except ValueError:
        return None


class PromptTemplate(ConfigurationModel):
    """A system prompt that profiles refer to by slug or UUID."""

    slug = models.SlugField(
        gettext_lazy("slug"),
        max_length=100,
        unique=True,
        help_text=gettext_lazy("The name by which profiles refer to this prompt."),
    )
    body = models.TextField(
        gettext_lazy("text"),
        help_text=gettext_lazy("Instructions for the model, sent before the course content and the learner's input."),
    )
    uuid = models.UUIDField(gettext_lazy("UUID"), default=uuid.uuid4, unique=True, editable=False)
    created_at = models.DateTimeField(gettext_lazy("created"), auto_now_add=True)
    updated_at = models.DateTimeField(gettext_lazy("updated"), auto_now=True)

    objects = PromptQuerySet.as_manager()

    class Meta:
        verbose_name = gettext_lazy("prompt template")
        verbose_name_plural = gettext_lazy("prompt templates")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug

    def is_used_in(self, processor_config: Mapping[str, Any]) -> bool:
        """Does a profile's ``processor_config`` refer to this prompt, in any way that ``lookup`` understands?"""
        references = (config.get("prompt_template") for config in processor_config.values() if isinstance(config, dict))
        return any(
            isinstance(reference, str) and (reference == self.slug or _as_uuid(reference) == self.uuid)
            for reference in references
        )

    def clean(self) -> None:
        """Refuse a text that is blank, or that cannot be stored or sent.

        Raises:
            ValidationError: keyed by field.
        """
        problem = _content_problem(self.body)
        if problem:
            raise ValidationError({"body": problem})
