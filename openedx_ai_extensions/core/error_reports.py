"""Django's reports of errors, as a page and as a mail to the site's operators, without credentials."""

from __future__ import annotations

from django.utils.html import escape
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter

from openedx_ai_extensions.core.redaction import configured_secrets, masked_text


class MaskedExceptionReporter(ExceptionReporter):
    """Masks what Django's own filter cannot know, such as the values of headers and the parameters of addresses."""

    def get_traceback_html(self) -> SafeString:
        secrets = configured_secrets()
        return SafeString(masked_text(super().get_traceback_html(), secrets | set(map(escape, secrets))))

    def get_traceback_text(self) -> SafeString:
        return SafeString(masked_text(super().get_traceback_text(), configured_secrets()))
