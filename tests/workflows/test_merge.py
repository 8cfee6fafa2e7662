"""Merging a patch into a template is RFC 7386, for any JSON, in any thread."""

import copy
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openedx_ai_extensions.workflows.template_utils import merge_template_with_patch

# RFC 7386, appendix A, in its order.
VECTORS = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}, "a value replaces"),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}, "a new name is added"),
    ({"a": "b"}, {"a": None}, {}, "null removes"),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}, "null removes only its name"),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}, "a text replaces a list"),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}, "a list replaces a text"),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}, "objects merge"),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}, "lists never merge"),
    (["a", "b"], ["c", "d"], ["c", "d"], "a list replaces a whole list"),
    ({"a": "b"}, ["c"], ["c"], "a list replaces the whole object"),
    ({"a": "foo"}, None, None, "null replaces the whole object"),
    ({"a": "foo"}, "bar", "bar", "a text replaces the whole object"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}, "a null that was there stays"),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}, "an object replaces a list"),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}, "nulls vanish at any depth"),
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=12,
)


def merge_patch(target, patch):
    """The RFC's pseudo-code, line by line."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name in patch:
        if patch[name] is None:
            if name in result:
                del result[name]
        else:
            result[name] = merge_patch(result.get(name), patch[name])
    return result


def containers(value):
    """The identity of every object and list within a value."""
    if isinstance(value, dict | list):
        yield id(value)
        for inner in value.values() if isinstance(value, dict) else value:
            yield from containers(inner)


@pytest.mark.parametrize(("target", "patch", "result"), [pytest.param(*row[:3], id=row[3]) for row in VECTORS])
def test_the_vectors_of_the_rfc(target, patch, result):
    before = copy.deepcopy((target, patch))
    assert merge_template_with_patch(target, patch) == result
    assert (target, patch) == before


@given(target=JSON, patch=JSON)
def test_any_json_merges_as_the_rfc_says_and_shares_nothing(target, patch):
    before = copy.deepcopy((target, patch))
    merged = merge_template_with_patch(target, patch)
    assert merged == merge_patch(target, patch)
    assert (target, patch) == before
    assert set(containers(merged)).isdisjoint([*containers(target), *containers(patch)])


def test_threads_do_not_disturb_each_other():
    def merge_often(number):
        target = {"deep": {"of": {"thread": number, "gone": 1}}, "list": [1]}
        patch = {"deep": {"of": {"gone": None, "own": number}}, "list": [number]}
        return [merge_template_with_patch(target, patch) for _ in range(100)]

    with ThreadPoolExecutor(8) as pool:
        for number, results in enumerate(pool.map(merge_often, range(8))):
            assert results == [{"deep": {"of": {"thread": number, "own": number}}, "list": [number]}] * 100
