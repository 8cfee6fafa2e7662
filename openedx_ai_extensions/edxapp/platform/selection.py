"""Which units a retrieval mode selects around a location, and the outline down to the units."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp.interface import PERSONAL_CONTAINERS, OutlineNode, RetrievalMode
from openedx_ai_extensions.edxapp.platform.tree import Tree

SEQUENCES = frozenset({"sequential", "videosequence", "problemset"})
# The first block of any other category, on the way down, is a unit.
_ABOVE_UNITS = frozenset({"course", "chapter"}) | SEQUENCES


def outline(tree: Tree, parent: UsageKey) -> tuple[OutlineNode, ...]:
    """The blocks below one, as far down as its units."""
    return tuple(
        OutlineNode(
            usage_key=key,
            category=key.block_type,
            display_name=tree.title(key),
            children=outline(tree, key) if _is_above_units(key) else (),
        )
        for key in tree.children(parent)
    )


def selected_units(tree: Tree, path: Sequence[UsageKey], mode: RetrievalMode) -> Iterator[UsageKey]:
    """The units in reading order. They and what is in them are read here, in one call.

    Args:
        tree: the course.
        path: from the top of the course down to the location.
        mode: how much around it.
    """
    if mode == RetrievalMode.UP_TO_CURRENT_UNIT:
        chapters = tree.children(tree.root)
        is_in_first = path[1:2] == chapters[:1]
        tree.read(path[1] if path[1:] and is_in_first else tree.root)
        yield from _up_to(tree, path)
        return
    top = next((key for key in path if not _is_above_units(key)), path[-1])
    if mode == RetrievalMode.SEQUENCE:
        top = next((key for key in path if key.block_type in SEQUENCES), top)
    tree.read(top)
    yield from _units(tree, top)


def closed_blocks(everything: Tree, tree: Tree, top: UsageKey) -> Iterator[UsageKey]:
    """The topmost blocks, from this one down, that are in the course but not in the tree of a person.

    That others see other children of a block is how it is meant: those are not named.
    """
    children = everything.children(top)
    if top.block_type in PERSONAL_CONTAINERS:
        children = [child for child in children if tree.has(child)]
    # No tree of a learner holds a split test itself, only what it shows them.
    if not (children if top.block_type == "split_test" else tree.has(top) and tree.is_readable(top)):
        yield top
        return
    for child in children:
        yield from closed_blocks(everything, tree, child)


def _up_to(tree: Tree, path: Sequence[UsageKey]) -> Iterator[UsageKey]:
    """The units from the start of the course up to the last one that the location is in, or that is in it."""
    here, *below = path
    if not _is_above_units(here):
        yield here
        return
    for key in tree.children(here):
        if key in below[:1]:
            yield from _up_to(tree, below)
            return
        yield from _units(tree, key)


def _units(tree: Tree, top: UsageKey) -> Iterator[UsageKey]:
    if not _is_above_units(top):
        yield top
        return
    for key in tree.children(top):
        yield from _units(tree, key)


def _is_above_units(key: UsageKey) -> bool:
    return key.block_type in _ABOVE_UNITS
