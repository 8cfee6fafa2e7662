"""Random courses: what they are, who may see what of them, and how an export writes them."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote
from xml.sax.saxutils import escape, quoteattr

from hypothesis import strategies as st

RUN = "r1"
# Parts of block names, all of them legal in a usage key.
NAMES = ["", "a", "B-1", "x.y", "ü", "é", "日本", "п_1", "a~b", "x:y"]
TEXTS = ["", "Ünïcödé", "日本語", "a < b & c", "\u200f", "𝄞", "'\"", "]] >"]

HIDING = [
    ("visible_to_staff_only", True), ("visible_to_staff_only", "yes"), ("start", "2999-01-01T00:00:00Z"),
    ("start", "soon"), ("group_access", {"50": [1]}), ("group_access", "oops"), ("is_time_limited", True),
]  # fmt: skip
HARMLESS = [
    ("visible_to_staff_only", False), ("start", "2001-01-01T00:00:00Z"), ("start", '"2001-01-01T00:00"'),
    ("group_access", {"50": []}), ("group_access", {}), ("hide_from_toc", True), ("graded", True),
    ("format", "Homework"), ("xml_attributes", {"a": [1]}), ("display_name", "Naïve <title>"), ("weight", None),
]  # fmt: skip
# What a file on its way here may suffer: the first ones do no harm.
HARMLESS_DAMAGE = ["byte order mark", "Windows line ends", "UTF-16", "Latin-1"]
DAMAGE = ["missing", "cut off", "entity", "empty", "another kind"]

LEAVES = ["html", "html page", "problem", "video", "mystery", "poll"]
BANKS = ["library_content", "split_test"]


@dataclass(eq=False)
class Node:
    """A block.

    Attributes:
        token: a word that only its content holds; containers have none.
        split: it is a file of its own, named by a pointer; else it is written where it stands.
        in_policy: its setting is in the policy, not on the element.
        damage: what has become of its file.
    """

    tag: str
    name: str
    kind: str
    token: str = ""
    text: str = ""
    split: bool = True
    setting: tuple[str, object] | None = None
    in_policy: bool = False
    damage: str = ""
    children: list[Node] = field(default_factory=list)

    @property
    def is_hidden(self) -> bool:
        return self.setting in HIDING

    @property
    def is_lost(self) -> bool:
        return self.damage in DAMAGE

    @property
    def is_personal(self) -> bool:
        return self.kind in BANKS


@dataclass
class GeneratedCourse:
    """A course, and drafts by the sequence that they belong to: a position and a unit."""

    root: Node
    drafts: list[tuple[Node, int, Node]]

    def walk(self, *, for_staff: bool, in_studio: bool) -> Iterator[Node]:
        """The blocks that somebody sees, by the rules of the platform."""
        return self._walk(self.root, set(), sees=True, for_staff=for_staff, in_studio=in_studio)

    def _walk(self, node: Node, met: set, *, sees: bool, for_staff: bool, in_studio: bool) -> Iterator[Node]:
        drafts = [(at, draft) for sequence, at, draft in self.drafts if sequence is node] if in_studio else []
        is_draft = in_studio and any(node is draft for _s, _a, draft in self.drafts)
        if node.is_lost:
            return
        sees = sees and (for_staff or not (node.is_hidden or is_draft))
        if sees:
            yield node
        names = {draft.name for _at, draft in drafts}
        # A draft takes the place of what it will replace, and is read wherever that is named.
        unpublished = {draft.name: draft for _s, _a, draft in self.drafts} if in_studio else {}
        children = [
            unpublished.get(child.name, child) if child.tag == "vertical" else child
            for child in node.children
            if not (child.tag == "vertical" and child.name in names)
        ]
        for at, draft in drafts:
            children.insert(at, draft)
        inside = sees and (for_staff or not node.is_personal)
        for child in children:
            # Only the first of several places counts, be it readable or not.
            if (child.tag, child.name) not in met:
                met.add((child.tag, child.name))
                yield from self._walk(child, met, sees=inside, for_staff=for_staff, in_studio=in_studio)


@st.composite
def courses(draw: st.DrawFn) -> GeneratedCourse:
    count = 0

    def node(tag: str, kind: str = "", children: list[Node] | None = None) -> Node:
        nonlocal count
        count += 1
        made = Node(tag, f"n{count}{draw(st.sampled_from(NAMES))}", kind or tag, children=children or [])
        made.split = draw(st.booleans())
        if draw(st.integers(0, 3)) == 0:
            made.setting = draw(st.sampled_from(HIDING + HARMLESS))
            made.in_policy = draw(st.booleans())
        if made.split and draw(st.integers(0, 5)) == 0:
            made.damage = draw(st.sampled_from(DAMAGE + HARMLESS_DAMAGE))
        return made

    def leaf() -> Node:
        kind = draw(st.sampled_from(LEAVES))
        made = node(kind.split()[0], kind)
        made.token = f"token{count}x"
        made.text = draw(st.sampled_from(TEXTS))
        return made

    def content(depth: int) -> Node:
        if depth and draw(st.integers(0, 4)) == 0:
            kind = draw(st.sampled_from(["wrapper", *BANKS]))
            return node(kind, children=[content(depth - 1) for _ in range(draw(st.integers(0, 2)))])
        return leaf()

    def unit() -> Node:
        return node("vertical", children=[content(2) for _ in range(draw(st.integers(0, 3)))])

    units: list[Node] = []
    sequences: list[Node] = []
    chapters: list[Node] = []
    for _ in range(draw(st.integers(0, 2))):
        below = []
        for _ in range(draw(st.integers(0, 2))):
            new = [unit() for _ in range(draw(st.integers(0, 3)))]
            below.append(node("sequential", children=list(new)))
            units += new
        sequences += below
        chapters.append(node("chapter", children=below))
    blocks = [block for unit_ in units for block in [unit_, *unit_.children] if block.split]
    if blocks and draw(st.booleans()):
        # A pointer too many: the same block twice, or a block in itself.
        draw(st.sampled_from(units)).children.append(draw(st.sampled_from(blocks)))
    drafts = []
    for _ in range(draw(st.integers(0, 2)) if sequences else 0):
        draft = unit()
        draft.split, draft.damage = True, ""
        sequence = draw(st.sampled_from(sequences))
        replaced = [child for child in sequence.children if child.tag == "vertical" and child.split]
        if replaced and draw(st.booleans()):
            draft.name = draw(st.sampled_from(replaced)).name
            draft.setting = None
        if draft.name not in {other.name for _s, _a, other in drafts}:
            drafts.append((sequence, draw(st.integers(0, 3)), draft))
    drafts.sort(key=lambda placed: placed[1])
    root = Node("course", RUN, "course", children=chapters, split=draw(st.booleans()))
    return GeneratedCourse(root, drafts)


class Writer:
    """Writes a course as files.

    Args:
        spelling: of the files' names: ``NFC``, ``NFD``, or ``quoted`` as in an address.
    """

    def __init__(self, spelling: str = "NFC") -> None:
        self.files: dict[str, bytes] = {}
        self._policy: dict[str, dict[str, object]] = {}
        self._begun: set[Node] = set()
        self._spelling = spelling

    def write(self, course: GeneratedCourse) -> dict[str, bytes]:
        key = f'url_name="{RUN}" org="Org" course="C1"'
        chapters = "".join(self._element(child, "") for child in course.root.children)
        if course.root.split:
            self._put("course.xml", f"<course {key}/>")
            self._put(f"course/{RUN}.xml", f"<course>{chapters}</course>")
        else:
            self._put("course.xml", f'<course {key} display_name="Inline">{chapters}</course>')
        # Another run, which is none of ours.
        self._put("course/r2.xml", '<course><chapter url_name="other"><html>tokenOTHERx</html></chapter></course>')
        for sequence, at, draft in course.drafts:
            parent = f"block-v1:Org+C1+{RUN}+type@sequential+block@{sequence.name}"
            self._element(draft, "drafts/", f' parent_url={quoteattr(parent)} index_in_children_list="{at}"')
        if self._policy:
            self._put(f"policies/{RUN}/policy.json", "\ufeff" + json.dumps(self._policy))
        self._put("policies/assets.json", "not JSON at all")
        self._put(f"policies/{RUN}/grading_policy.json", "not JSON at all")
        return self.files

    def _put(self, name: str, text: str, damage: str = "") -> None:
        folders, _, file = name.rpartition("/")
        if self._spelling == "quoted":
            file = quote(file)
        name = f"{folders}/{file}" if folders else file
        if self._spelling == "NFD":
            name = unicodedata.normalize("NFD", name)
        self.files[name] = _damaged(text, damage)

    def _element(self, node: Node, folder: str, place: str = "") -> str:
        """The element to stand in the parent, after writing the files that it needs."""
        name, file = f"url_name={quoteattr(node.name)}", node.name.replace(":", "/")
        if node in self._begun:
            # A block that is also above or before this place is only named here.
            return f"<{node.tag} {name}/>"
        self._begun.add(node)
        attributes = place
        if node.setting and node.in_policy:
            self._policy[f"{node.tag}/{node.name}"] = dict([node.setting])
        elif node.setting:
            field_name, value = node.setting
            attributes += f" {field_name}={quoteattr(value if isinstance(value, str) else json.dumps(value))}"
        attributes += self._own_attributes(node, folder, file)
        inside = self._content(node, folder)
        if not node.split:
            # Without anything else it would be a pointer.
            attributes = attributes or ("" if inside else ' display_name="Empty"')
            return f"<{node.tag} {name}{attributes}>{inside}</{node.tag}>"
        if node.damage != "missing":
            self._put(f"{folder}{node.tag}/{file}.xml", f"<{node.tag}{attributes}>{inside}</{node.tag}>", node.damage)
        return f"<{node.tag} {name}/>"

    def _own_attributes(self, node: Node, folder: str, file: str) -> str:
        if node.kind == "html page":
            self._put(f"{folder}html/{file}.html", f"<p>{node.token} {escape(node.text)}</p>")
            return f" filename={quoteattr(file)}"
        if node.kind == "video":
            cue = f"1\n00:00:00,000 --> 00:00:01,000\n{node.token} said\n"
            self._put(f"static/{file.replace('/', '_')}.srt", cue)
            return f" transcripts={quoteattr(json.dumps({'en': file.replace('/', '_') + '.srt'}))}"
        return f" question={quoteattr(node.token + node.text)}" if node.kind == "poll" else ""

    def _content(self, node: Node, folder: str) -> str:
        text = f"{node.token} {escape(node.text)}"
        if node.kind == "html":
            return f"<![CDATA[<p>{text}</p>]]>"
        if node.kind in {"problem", "mystery"}:
            return f"<p>{text}</p>"
        if node.kind in LEAVES:
            return ""
        return "".join(self._element(child, folder) for child in node.children)


def _damaged(text: str, damage: str) -> bytes:
    changes = {
        "cut off": text[: max(1, len(text) - 3)].encode,
        "entity": lambda: b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + text.encode(),
        "another kind": lambda: b"<other>tokenOTHERx</other>",
        "empty": lambda: b"",
        "byte order mark": lambda: b"\xef\xbb\xbf" + text.encode(),
        "Windows line ends": lambda: text.replace("><", ">\r\n<").encode(),
        "UTF-16": lambda: f'<?xml version="1.0" encoding="UTF-16"?>{text}'.encode("utf-16"),
        "Latin-1": lambda: _latin_1(text),
    }
    return changes.get(damage, text.encode)()


def _latin_1(text: str) -> bytes:
    if "CDATA" in text and not text.isascii():
        # Nothing can be written there in other letters.
        return text.encode()
    return ('<?xml version="1.0" encoding="ISO-8859-1"?>' + text).encode("latin-1", "xmlcharrefreplace")
