"""The subjects of usage: the site, a provider, a course, a profile, a person, and a person in a course or profile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subject:
    """A combination of person, course, profile and provider; as a filter, None matches any value."""

    user_id: int | None = None
    course_id: str | None = None
    profile_id: int | None = None
    provider: str | None = None

    @property
    def key(self) -> str:
        """The subject's part of the key of a total."""
        parts = [
            f"{name}:{value}"
            for name, value in (
                ("person", self.user_id),
                ("course", self.course_id),
                ("profile", self.profile_id),
                ("provider", self.provider),
            )
            if value is not None
        ]
        return "/".join(parts) or "site"

    def covers(self, other: Subject) -> bool:
        """Does usage of ``other`` count for this subject?"""
        return (
            self.user_id in (None, other.user_id)
            and self.course_id in (None, other.course_id)
            and self.profile_id in (None, other.profile_id)
            and self.provider in (None, other.provider)
        )

    def subjects(self) -> Iterator[Subject]:
        """All subjects that usage of this combination counts for."""
        yield Subject()
        if self.provider:
            yield Subject(provider=self.provider)
        if self.course_id:
            yield Subject(course_id=self.course_id)
        if self.profile_id:
            yield Subject(profile_id=self.profile_id)
        if self.user_id:
            yield Subject(user_id=self.user_id)
            if self.course_id:
                yield Subject(user_id=self.user_id, course_id=self.course_id)
            if self.profile_id:
                yield Subject(user_id=self.user_id, profile_id=self.profile_id)
