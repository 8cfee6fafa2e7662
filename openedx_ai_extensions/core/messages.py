"""Messages of errors, which are translated when they are shown: perhaps later, to a reader of another language.

``Message`` is imported as ``_``, so that its texts are found for translation.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import formats, timezone, translation
from django.utils.functional import Promise
from django.utils.translation import gettext


class Message(Promise):
    """A text that is translated whenever it is read, with values in it.

    Args:
        source: the text in English, as in the catalogues; with values, a format string.
        values: texts, numbers, times (aware) and other messages.
    """

    def __init__(self, source: str, values: Mapping[str, Any] | None = None) -> None:
        self.source = source
        self.values = values

    def format(self, **values: Any) -> Message:
        """The message with these values."""
        return Message(self.source, values)

    def __str__(self) -> str:
        return shown(stored(self))


def joined(first: Any, second: Any) -> Message:
    """Two sentences as one message."""
    return Message("{first} {second}", {"first": first, "second": second})


def stored(message: Any) -> Any:
    """A message, or a list of them, as JSON for ``shown``."""
    match message:
        case Message(source=source, values=values):
            if values is None:
                return {"source": source}
            return {"source": source, "values": {name: stored(value) for name, value in values.items()}}
        case Promise():
            with translation.override(None):
                return {"source": str(message)}
        case datetime():
            return {"time": message.isoformat()}
        case list():
            return [stored(each) for each in message]
    return message if isinstance(message, str | int | float) else str(message)


def shown(told: Any) -> str:
    """The text of what ``stored`` returned, in the current language."""
    match told:
        case {"source": source, "values": values}:
            return translation.gettext(source).format(**{name: shown(value) for name, value in values.items()})
        case {"source": source}:
            return translation.gettext(source)
        case {"time": time}:
            return readable_time(datetime.fromisoformat(time))
        case list():
            return " ".join(map(shown, told))
    return str(told)


def readable_time(moment: datetime) -> str:
    """A time for people, in the reader's time zone; with the date unless it is today."""
    local = timezone.localtime(moment)
    time = formats.date_format(local, "H:i")
    if local.date() == timezone.localdate():
        return gettext("at {time}").format(time=time)
    return gettext("on {day} at {time}").format(day=formats.date_format(local, "MONTH_DAY_FORMAT"), time=time)
