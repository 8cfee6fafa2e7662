"""Charts as positioned shapes, drawn by a template. A table next to each chart shows the same numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 200
LEFT, BOTTOM, TOP = 70, 24, 10
ROW_HEIGHT = 24
LABEL_WIDTH = 220
MAX_ROWS = 15
MAX_X_LABELS = 8


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
        lies: the bars are horizontal, with their labels on the left.
    """

    title: str
    summary: str
    width: int
    height: int
    bars: Sequence[Bar] = ()
    paths: Sequence[Path] = ()
    x_marks: Sequence[Mark] = ()
    y_marks: Sequence[Mark] = ()
    lies: bool = False


Values = Sequence[tuple[str, float]]


def vertical_bars(title: str, summary: str, values: Values, shown: Callable[[float], str]) -> Chart:
    """A chart with one vertical bar for each point in time."""
    top = nice(max((value for _label, value in values), default=0))
    step = (WIDTH - LEFT) / max(len(values), 1)
    bars = [
        Bar(
            round(LEFT + number * step + step * 0.1, 1),
            round(_y(value, top), 1),
            round(step * 0.8, 1),
            round(HEIGHT - BOTTOM - _y(value, top), 1),
            label,
            shown(value),
        )
        for number, (label, value) in enumerate(values)
    ]
    labels = [label for label, _value in values]
    return Chart(title, summary, WIDTH, HEIGHT, bars, (), _x_marks(labels), _y_marks(top, shown))


def horizontal_bars(title: str, summary: str, values: Values, shown: Callable[[float], str]) -> Chart:
    """A chart with horizontal bars for the first values of a list."""
    some = values[:MAX_ROWS]
    top = max((value for _label, value in some), default=0) or 1
    bars = [
        Bar(
            LABEL_WIDTH,
            number * ROW_HEIGHT + 4,
            round((WIDTH - LABEL_WIDTH - 90) * value / top, 1),
            ROW_HEIGHT - 8,
            label,
            shown(value),
        )
        for number, (label, value) in enumerate(some)
    ]
    return Chart(title, summary, WIDTH, max(len(some), 1) * ROW_HEIGHT, bars, lies=True)


def lines(
    title: str, summary: str, labels: Sequence[str], series: Sequence[tuple[str, Sequence[float | None]]],
    shown: Callable[[float], str],
) -> Chart:  # fmt: skip
    """A line chart of values over time, one style for each series."""
    top = nice(max((value for _name, values in series for value in values if value is not None), default=0))
    step = (WIDTH - LEFT) / max(len(labels), 1)
    paths = []
    for style, (name, values) in enumerate(series):
        parts, pen = [], "M"
        for number, value in enumerate(values):
            if value is None:
                pen = "M"
                continue
            # A single point is drawn as a short stroke, otherwise it would be invisible.
            parts.append(f"{pen}{LEFT + (number + 0.5) * step:.1f} {_y(value, top):.1f}h{0.1 if pen == 'M' else 0}")
            pen = "L"
        paths.append(Path(name, f"aiext-line-{style}", "".join(parts)))
    return Chart(title, summary, WIDTH, HEIGHT, (), paths, _x_marks(labels), _y_marks(top, shown))


def nice(value: float) -> float:
    """The upper end of an axis: the smallest number of the form 1, 2 or 5 × 10^n that is at least the value."""
    if value <= 0:
        return 1
    power = 10 ** math.floor(math.log10(value))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= value)


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value / top


def _x_marks(labels: Sequence[str]) -> list[Mark]:
    step = (WIDTH - LEFT) / max(len(labels), 1)
    every = max(math.ceil(len(labels) / MAX_X_LABELS), 1)
    return [
        Mark(round(LEFT + (number + 0.5) * step, 1), label) for number, label in enumerate(labels) if not number % every
    ]


def _y_marks(top: float, shown: Callable[[float], str]) -> list[Mark]:
    return [Mark(round(_y(part, top), 1), shown(part)) for part in (0, top / 2, top)]
