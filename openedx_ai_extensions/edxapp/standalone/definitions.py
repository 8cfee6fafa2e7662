"""From the element that names a block to the one that defines it."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _
from lxml import etree

from openedx_ai_extensions.edxapp.safe_json import parse_json
from openedx_ai_extensions.edxapp.safe_xml import attribute, markup, parse_xml
from openedx_ai_extensions.edxapp.standalone.entrance import UnreadableCourse
from openedx_ai_extensions.edxapp.standalone.fields import UnreadableBlock, definition_file, is_pointer
from openedx_ai_extensions.edxapp.standalone.files import old_definition_names
from openedx_ai_extensions.edxapp.standalone.values import as_text

# Tags and attributes in all files that are parsed: a course of 5 000 blocks has some 300 000.
MAX_MARKUP = 1_500_000
# Fields by ``category/name``.
Policy = Mapping[str, Mapping[str, str]]


class Definitions:
    """Reads definitions, as many as an export may hold."""

    def __init__(self) -> None:
        self._markup_left = MAX_MARKUP

    def find(self, element: etree._Element, files: Mapping[str, bytes]) -> etree._Element:
        """The element itself, or the root of the file that it points to.

        Raises:
            UnreadableBlock: the file is missing, or holds another kind of block.
            BrokenXML: the file cannot be parsed.
            UnreadableCourse: there is too much in all the files together.
        """
        if is_pointer(element):
            file = definition_file(element, files)
            if file is None:
                raise UnreadableBlock("its file is missing")
        else:
            file = _old_definition_file(element, files)
        if file is None:
            return element
        definition = self.parse(files[file])
        if definition.tag != element.tag:
            raise UnreadableBlock("its file holds another kind of block")
        return definition

    def parse(self, data: bytes) -> etree._Element:
        """The root of one file.

        Raises:
            BrokenXML: it cannot be parsed.
            UnreadableCourse: there is too much in all the files together.
        """
        self._markup_left -= markup(data)
        if self._markup_left < 0:
            raise UnreadableCourse(_("there is too much in it"))
        return parse_xml(data)


def _old_definition_file(element: etree._Element, files: Mapping[str, bytes]) -> str | None:
    # The oldest exports have the name of the content's file beside the block's fields. HTML still has: its file holds
    # HTML, not XML. A block of an unknown kind may have a field of that name.
    filename = attribute(element, "filename")
    if not filename or element.tag == "html" or len(element):
        return None
    return next((name for name in old_definition_names(str(element.tag), filename) if name in files), None)


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
