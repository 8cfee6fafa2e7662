"""Charts as shapes with places and sizes, for a template to draw. The table beside says the same in numbers."""

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
    """A text at a place."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Path:
    """A line through points; where there is no value it is broken."""

    name: str
    style: str
    d: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart.

    Attributes:
        title: what it shows.
        summary: the same in a sentence, for who does not see it.
        lies: do its bars lie, each with its name before it?
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
    """A bar for each moment, from left to right."""
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
    """A bar for each of the first of a list, from top to bottom."""
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
    """Values over time, each series in a style of its own."""
    top = nice(max((value for _name, values in series for value in values if value is not None), default=0))
    step = (WIDTH - LEFT) / max(len(labels), 1)
    paths = []
    for style, (name, values) in enumerate(series):
        parts, pen = [], "M"
        for number, value in enumerate(values):
            if value is None:
                pen = "M"
                continue
            # A point alone is a short stroke, or nothing would be seen of it.
            parts.append(f"{pen}{LEFT + (number + 0.5) * step:.1f} {_y(value, top):.1f}h{0.1 if pen == 'M' else 0}")
            pen = "L"
        paths.append(Path(name, f"aiext-line-{style}", "".join(parts)))
    return Chart(title, summary, WIDTH, HEIGHT, (), paths, _x_marks(labels), _y_marks(top, shown))


def nice(value: float) -> float:
    """The end of an axis: 1, 2 or 5 times a power of ten, this value at least."""
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
