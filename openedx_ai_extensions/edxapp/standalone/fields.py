"""Reads the fields and the children of a block from its OLX element."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lxml import etree
from opaque_keys.edx.keys import UsageKey

from openedx_ai_extensions.edxapp.safe_parsing import attribute, parse_json, transcript_text
from openedx_ai_extensions.edxapp.standalone.export import definition_names, page_names, static_name

Files = Mapping[str, bytes]

# Categories whose elements contain other blocks. Other elements contain the block's own content.
_CONTAINERS = frozenset(
    {
        "chapter", "sequential", "videosequence", "problemset", "vertical", "wrapper", "split_test", "library_content",
        "legacy_library_content", "itembank", "randomize", "conditional", "problem-builder", "step-builder", "sb-step",
        "sb-review-step", "pb-mcq", "pb-mrq", "pb-rating", "pb-table", "pb-column",
    }
)  # fmt: skip
# Blocks whose content is HTML with any elements.
_HTML_CONTENT = frozenset({"pb-choice", "pb-tip", "pb-message", "sb-conditional-message"})
_BELOW_COURSE = frozenset({"chapter", "sequential", "videosequence", "problemset", "vertical"})
_HTML_TAGS = frozenset(
    {
        "a", "abbr", "b", "blockquote", "br", "code", "dd", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2",
        "h3", "h4", "h5", "h6", "hr", "i", "img", "li", "ol", "p", "pre", "q", "section", "small", "span", "strong",
        "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
    }
)  # fmt: skip
# Attributes with the place of a draft in the course.
_DRAFT_PLACE = frozenset({"parent_url", "parent_sequential_url", "index_in_children_list"})


class UnreadableBlock(Exception):
    """This block cannot be read."""


def is_pointer(element: etree._Element) -> bool:
    """Does the element only name the file of the block?"""
    return list(element.attrib) == ["url_name"] and not len(element) and not (element.text or "").strip()


def definition_file(pointer: etree._Element, files: Files) -> str | None:
    """The file that a pointer names; None if there is none."""
    names = definition_names(str(pointer.tag), attribute(pointer, "url_name"))
    return next((name for name in names if name in files), None)


def child_elements(category: str, definition: etree._Element, files: Files) -> Iterator[etree._Element]:
    """The elements of child blocks."""
    for element in definition:
        tag = element.tag
        if not isinstance(tag, str) or tag.startswith("{"):
            continue
        if category == "course":
            is_block = tag in _BELOW_COURSE
        else:
            is_block = category in _CONTAINERS or (is_pointer(element) and definition_file(element, files) is not None)
        if is_block:
            yield element


def block_fields(
    usage_key: UsageKey, definition: etree._Element, metadata: Mapping[str, str], files: Files, language: str
) -> dict[str, Any]:
    """Raw field values by name: the metadata, and the content under its name in the platform.

    Args:
        metadata: the fields in the element and in the policy.
        language: the course's, for transcripts.

    Raises:
        UnreadableBlock: the file of its content is missing.
    """
    category = usage_key.block_type
    if category == "course":
        return {}  # its settings contain passwords of LTI tools; its description is in ``CourseInfo``
    fields: dict[str, Any] = {name: value for name, value in metadata.items() if name not in {"url_name", "filename"}}
    if category == "html":
        fields["data"] = _html(definition, metadata, files, usage_key.block_id)
    elif category in {"problem", "annotatable"}:
        fields["data"] = _without_attributes(definition)
    elif category == "video":
        transcript = _transcript(definition, metadata, files, language)
        if transcript:
            fields["transcript"] = transcript
    elif category == "poll_question":
        fields |= _poll(definition)
    elif category == "openassessment":
        fields |= _open_assessment(definition)
    elif category in _HTML_CONTENT:
        fields["content"] = _inner_markup(definition)
    elif category not in _CONTAINERS:
        fields |= _other_content(definition)
    return {name: value for name, value in fields.items() if name not in _DRAFT_PLACE}


def _html(definition: etree._Element, metadata: Mapping[str, str], files: Files, block_id: str) -> str:
    filename = metadata.get("filename")
    if not filename:
        return _inner_markup(definition)
    file = next((name for name in page_names(filename, block_id) if name in files), None)
    if file is None:
        raise UnreadableBlock("its file is missing")
    return files[file].decode("utf-8-sig", "replace")


def _inner_markup(element: etree._Element) -> str:
    # The text is not escaped, because HTML is often written as CDATA.
    return (element.text or "") + "".join(etree.tostring(child, encoding="unicode") for child in element)


def _without_attributes(definition: etree._Element) -> str:
    """The element as the platform stores a problem: its attributes are fields, and not part of the content."""
    for name in list(definition.attrib):
        del definition.attrib[name]
    return etree.tostring(definition, encoding="unicode", with_tail=False)


def _poll(definition: etree._Element) -> dict[str, Any]:
    question = [definition.text or ""]
    for child in definition:
        if child.tag != "answer":
            question.append(etree.tostring(child, encoding="unicode", with_tail=False))
        question.append(child.tail or "")
    answers = [{"id": attribute(answer, "id"), "text": _inner_markup(answer)} for answer in definition.iter("answer")]
    return {"question": "".join(question), "answers": answers}


def _open_assessment(definition: etree._Element) -> dict[str, Any]:
    """What learners see of an assessment, without its examples and their grades."""
    prompts = [_child_texts(prompt, ("description",)) for prompt in definition.iterfind("prompts/prompt")]
    return {
        "title": definition.findtext("title") or "",
        "prompt": json.dumps(prompts or [{"description": definition.findtext("rubric/prompt") or ""}]),
        "rubric_criteria": [
            {
                **_child_texts(criterion, ("name", "label", "prompt")),
                "options": [
                    {**_child_texts(option, ("name", "label", "explanation")), "points": attribute(option, "points")}
                    for option in criterion.iterfind("option")
                ],
            }
            for criterion in definition.iterfind("rubric/criterion")
        ],
    }


def _child_texts(element: etree._Element, names: Iterable[str]) -> dict[str, str]:
    return {name: element.findtext(name) or "" for name in names}


def _other_content(definition: etree._Element) -> dict[str, str]:
    """The content of an unknown block: HTML as ``content``, or each other element under its name."""
    elements = [child for child in definition if isinstance(child.tag, str) and not is_pointer(child)]
    if all(child.tag in _HTML_TAGS for child in elements):
        markup = _inner_markup(definition).strip()
        return {"content": markup} if markup else {}
    texts: dict[str, list[str]] = {}
    for child in elements:
        if not str(child.tag).startswith("{"):
            texts.setdefault(str(child.tag), []).append(_inner_markup(child).strip())
    return {name: "\n".join(found) for name, found in texts.items()}


def _transcript(definition: etree._Element, metadata: Mapping[str, str], files: Files, language: str) -> str:
    """The transcript in the course's language, else in English, else in the first language."""
    names = _transcript_names(definition, metadata)
    for wanted in (language, "en", *sorted(names)):
        for name in names.get(wanted, ()):
            data = files.get(static_name(name))
            text = transcript_text(name, data) if data is not None else ""
            if text:
                return text
    return ""


def _transcript_names(definition: etree._Element, metadata: Mapping[str, str]) -> dict[str, list[str]]:
    """File names by language, from all notations of exports."""
    names: dict[str, list[str]] = {}
    for element in definition.iter("transcript"):
        spoken = attribute(element, "language") or attribute(element, "language_code")
        if attribute(element, "src"):
            names.setdefault(spoken, []).append(attribute(element, "src"))
        elif metadata.get("edx_video_id"):
            stem, suffix = f"{metadata['edx_video_id'].strip()}-{spoken}", attribute(element, "file_format") or "srt"
            names.setdefault(spoken, []).append(f"{stem}.{suffix}")
    try:
        declared = parse_json(metadata.get("transcripts") or "{}")
    except ValueError:
        declared = {}
    for spoken, name in declared.items() if isinstance(declared, dict) else ():
        names.setdefault(str(spoken), []).append(str(name))
    if metadata.get("sub"):
        names.setdefault("en", []).append(f"subs_{metadata['sub']}.srt.sjson")
    # Other languages of the old notation are named <language>_subs_<id>; each file may be SubRip or JSON.
    return {spoken: [*found, *(f"{name}.sjson" for name in found)] for spoken, found in names.items()}
