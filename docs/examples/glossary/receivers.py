"""Tells the site's admins by mail when a limit is nearly used up, or is."""

from typing import Any

from django.core.mail import mail_admins
from django.dispatch import receiver

from openedx_ai_extensions.ledger.limits import Limit
from openedx_ai_extensions.ledger.signals import limit_reached


@receiver(limit_reached)
def tell_admins(*, limit: Limit, kind: str, threshold: int, used: int, allowed: int, **_more: Any) -> None:
    name = limit.subject.course_id or limit.subject.provider or limit.per
    mail_admins(f"AI: {threshold} % of the {kind} for {name}", f"{used} of {allowed}, until {limit.resets_at}.")
