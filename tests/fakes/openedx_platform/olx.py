"""Fills the fake modulestore from a directory of OLX, as far as our sample courses need."""

from __future__ import annotations

import json
from pathlib import Path

from lxml import etree
from opaque_keys.edx.locator import CourseLocator

from tests.fakes.openedx_platform.blocks import make_block


def read_olx(store, folder: Path) -> CourseLocator:
    """Publish the course in the folder; its key."""
    entrance = etree.parse(folder / "course.xml").getroot()
    run = entrance.get("url_name")
    course_key = CourseLocator(entrance.get("org"), entrance.get("course"), run)
    policy = json.loads((folder / "policies" / run / "policy.json").read_text())
    root = _read(store, folder, entrance, course_key.make_usage_key("course", "course"), policy, None)
    store.published[root.location] = root
    return course_key


def _read(store, folder, element, usage_key, policy, parent):
    name = f"{element.tag}/{element.get('url_name')}"
    file = folder / f"{name}.xml"
    definition = etree.parse(file).getroot() if file.exists() else element
    own = {key: value for key, value in policy.get(name, {}).items() if isinstance(value, str)}
    attributes = {**definition.attrib, **own}
    data = None
    if element.tag == "html":
        data = (folder / "html" / f"{attributes['filename']}.html").read_text()
    elif element.tag == "problem":
        definition.attrib.clear()
        data = etree.tostring(definition, encoding="unicode")
    block = make_block(store.runtime, usage_key, attributes, data=data, parent=parent)
    for child in definition if block.has_children else ():
        if child.get("url_name"):
            key = usage_key.course_key.make_usage_key(child.tag, child.get("url_name"))
            store.published[key] = _read(store, folder, child, key, policy, block)
            block.children.append(key)
    return block
