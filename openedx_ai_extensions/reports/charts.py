"""Charts as positioned shapes, drawn by a template. A table next to each chart shows the same numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

# In SVG units.
WIDTH, HEIGHT = 720, 200
LEFT, BOTTOM, TOP = 70, 24, 10
ROW_HEIGHT = 24
LABEL_WIDTH, VALUE_WIDTH = 220, 90

MAX_ROWS = 15
MAX_X_LABELS = 8

Values = Sequence[tuple[str, float]]
Format = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A label at a position."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Path:
    """A line through points, interrupted where a value is missing."""

    name: str
    style: str
    d: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart.

    Attributes:
        title: the title.
        summary: a textual description for screen readers.
        is_horizontal: the bars are horizontal, with their labels on the left.
    """

    title: str
    summary: str
    width: int
    height: int
    bars: Sequence[Bar] = ()
    paths: Sequence[Path] = ()
    x_marks: Sequence[Mark] = ()
    y_marks: Sequence[Mark] = ()
    is_horizontal: bool = False


def summary_of(values: Values, shown: Format) -> str:
    """The greatest value in words, for ``Chart.summary``."""
    name, most = max(values, key=lambda pair: pair[1], default=("", 0))
    if not most:
        return _("Nothing to show.")
    return _("Most: {most} ({name}). All values are in the table below.").format(most=shown(most), name=name)


def vertical_bars(title: str, summary: str, values: Values, shown: Format) -> Chart:
    """A chart with one vertical bar for each point in time."""
    top = nice(max((value for _label, value in values), default=0))
    width = 0.8 * _step(len(values))
    bars = []
    for number, (label, value) in enumerate(values):
        x, y = _x(number, len(values)) - width / 2, _y(value, top)
        bars.append(Bar(round(x, 1), round(y, 1), round(width, 1), round(HEIGHT - BOTTOM - y, 1), label, shown(value)))
    x_marks = _x_marks([label for label, _value in values])
    return Chart(title, summary, WIDTH, HEIGHT, bars, (), x_marks, _y_marks(top, shown))


def horizontal_bars(title: str, summary: str, values: Values, shown: Format) -> Chart:
    """A chart with horizontal bars for the first values of a list."""
    some = values[:MAX_ROWS]
    top = max((value for _label, value in some), default=0) or 1
    bars = []
    for number, (label, value) in enumerate(some):
        width = round((WIDTH - LABEL_WIDTH - VALUE_WIDTH) * value / top, 1)
        bars.append(Bar(LABEL_WIDTH, number * ROW_HEIGHT + 4, width, ROW_HEIGHT - 8, label, shown(value)))
    return Chart(title, summary, WIDTH, max(len(some), 1) * ROW_HEIGHT, bars, is_horizontal=True)


def lines(
    title: str, summary: str, labels: Sequence[str], series: Sequence[tuple[str, Sequence[float | None]]], shown: Format
) -> Chart:
    """A line chart of values over time, one style for each series."""
    top = nice(max((value for _name, values in series for value in values if value is not None), default=0))
    paths = []
    for style, (name, values) in enumerate(series):
        parts, pen = [], "M"
        for number, value in enumerate(values):
            if value is None:
                pen = "M"
                continue
            # A single point is drawn as a short stroke, otherwise it would be invisible.
            parts.append(f"{pen}{_x(number, len(labels)):.1f} {_y(value, top):.1f}h{0.1 if pen == 'M' else 0}")
            pen = "L"
        paths.append(Path(name, f"aiext-line-{style}", "".join(parts)))
    return Chart(title, summary, WIDTH, HEIGHT, (), paths, _x_marks(labels), _y_marks(top, shown))


def nice(value: float) -> float:
    """The upper end of an axis: the smallest number of the form 1, 2 or 5 × 10^n that is at least the value."""
    if value <= 0:
        return 1
    power = 10 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value)


def _step(count: int) -> float:
    return (WIDTH - LEFT) / max(count, 1)


def _x(number: int, count: int) -> float:
    return LEFT + (number + 0.5) * _step(count)


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top


def _x_marks(labels: Sequence[str]) -> list[Mark]:
    every = max(math.ceil(len(labels) / MAX_X_LABELS), 1)
    return [Mark(round(_x(number, len(labels)), 1), label) for number, label in enumerate(labels) if not number % every]


def _y_marks(top: float, shown: Format) -> list[Mark]:
    return [Mark(round(_y(part, top), 1), shown(part)) for part in (0, top / 2, top)]
