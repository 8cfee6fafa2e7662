"""Where the parts of a JSON5 text stand."""

import pytest

from openedx_ai_extensions.core.json5 import nearest, positions

TEXT = """// {not: this}
{
  plain: 1, /* {nor: this} */ "in quotes": ['a', {b: [[], 2]}],
  'it\\'s': -.5e1, // }
  "a,b:{}": {c: true,},
}
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("$", (2, 1)),
        ("$.plain", (3, 3)),
        ("$['in quotes']", (3, 31)),
        ("$['in quotes'][0]", (3, 45)),
        ("$['in quotes'][1]", (3, 50)),
        ("$['in quotes'][1].b", (3, 51)),
        ("$['in quotes'][1].b[0]", (3, 55)),
        ("$['in quotes'][1].b[1]", (3, 59)),
        ("$['it\\'s']", (4, 3)),
        ("$['a,b:{}']", (5, 3)),
        ("$['a,b:{}'].c", (5, 14)),
    ],
)
def test_each_value_is_found(path, place):
    assert positions(TEXT)[path] == place


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("$.plain", (3, 3)),
        ("$.plain.x.y[3]", (3, 3)),
        ("$['a,b:{}'].d", (5, 3)),
        ("$['in quotes'][7]", (3, 31)),
        ("$.nothing", None),
        ("$", None),
        ("content_patch", None),
    ],
)
def test_what_is_missing_is_looked_for_around_it(path, place):
    assert nearest(path, positions(TEXT)) == place


def test_a_text_without_values_has_no_places():
    assert positions("// nothing\n") == {}
