"""The policy file of a run: fields of blocks, kept apart from the blocks themselves."""

from __future__ import annotations

from collections.abc import Mapping

from openedx_ai_extensions.edxapp.safe_json import parse_json
from openedx_ai_extensions.edxapp.standalone.values import as_text

# Fields by ``category/name``.
Policy = Mapping[str, Mapping[str, str]]


def read_policy(files: Mapping[str, bytes], run: str) -> Policy:
    """The fields that a run's policy gives to blocks; none when there is no such file.

    Raises:
        ValueError: there is one, but it is not an object of objects. It may hide blocks: it must not open them.
    """
    for name in (f"policies/{run}/policy.json", f"policies/{run}.json"):
        if name in files:
            policy = parse_json(files[name])
            break
    else:
        return {}
    if not isinstance(policy, dict) or not all(isinstance(fields, dict) for fields in policy.values()):
        raise ValueError("not an object of objects")
    return {block: {name: as_text(value) for name, value in fields.items()} for block, fields in policy.items()}
