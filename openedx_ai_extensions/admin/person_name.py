"""A person, named in a form of the admin."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


def person_named(name: str) -> Any:
    """The person with this username; None when it is empty.

    Raises:
        ValidationError: nobody has it.
    """
    if not name:
        return None
    users = get_user_model()
    try:
        return users._default_manager.get_by_natural_key(name)
    except users.DoesNotExist:
        raise ValidationError(_("Nobody has this username."), code="unknown") from None
