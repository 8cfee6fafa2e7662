"""The form to write a profile with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from openedx_ai_extensions.models import AIWorkflowProfile
from openedx_ai_extensions.workflows.readable_errors import Readable, readable
from openedx_ai_extensions.workflows.template_utils import (
    JSON5DecodeError,
    discover_templates,
    load_template,
    parse_patch,
    template_problem,
    template_version,
)

EXCERPT_WIDTH = 100


class ProfileForm(forms.ModelForm):
    """A template picked from those on disk, and a patch typed as JSON5."""

    base_filepath = forms.ChoiceField(
        label=gettext_lazy("Template"),
        help_text=gettext_lazy(
            "The workflow this profile starts from. Templates are files that come with the site; the patch below "
            "changes what this profile needs otherwise."
        ),
    )
    # Not stripped: line numbers in errors must be those of the text as typed.
    content_patch = forms.CharField(
        label=gettext_lazy("Patch (JSON5)"),
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"class": "aiext-code", "rows": 20, "cols": 100, "spellcheck": "false", "autocomplete": "off"}
        ),
        help_text=gettext_lazy(
            "Only what differs from the template: objects are merged key by key, lists and other values replace the "
            "template's, and null removes a key. Comments and trailing commas are fine. Leave it empty to use the "
            "template as it is. Keep credentials out of it: they belong in the setting AI_EXTENSIONS."
        ),
    )

    class Meta:
        model = AIWorkflowProfile
        fields = ("slug", "description", "base_filepath", "content_patch")
        labels = {"slug": gettext_lazy("Slug"), "description": gettext_lazy("Description")}
        help_texts = {
            "slug": gettext_lazy(
                "A short unique name, in letters, digits, hyphens and underscores. Reports and learning records "
                "show it."
            ),
            "description": gettext_lazy("What this workflow is for, in your own words. Learners do not see it."),
        }
        widgets = {"description": forms.Textarea(attrs={"rows": 3, "cols": 100})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Absent for those who may only look: the page has no inputs then.
        template = self.fields.get("base_filepath")
        if isinstance(template, forms.ChoiceField):
            template.choices = template_choices(self.instance.base_filepath)

    def clean_content_patch(self) -> str:
        """The patch, with the line ends that errors count by.

        Raises:
            ValidationError: it is not a JSON5 object; the message shows where.
        """
        patch = with_plain_line_ends(self.cleaned_data["content_patch"])
        try:
            parse_patch(patch)
        except JSON5DecodeError as error:
            raise ValidationError(format_html("{}{}", str(error), excerpt(patch, error)), code="invalid") from None
        return patch


def with_plain_line_ends(typed: str) -> str:
    """A text as errors count its lines: browsers send line ends of their own."""
    return typed.replace("\r\n", "\n").replace("\r", "\n")


def template_choices(current: str) -> list[tuple[str, str]]:
    """The templates on disk, and the current one even when its file is gone."""
    templates = discover_templates()
    choices = [(path, f"{name} – {path}") for path, name in templates]
    if not current:
        return [("", _("Choose a template")), *choices]
    if current not in dict(templates):
        return [(current, _("{path} (missing: this file is gone)").format(path=current)), *choices]
    return choices


def excerpt(patch: str, error: JSON5DecodeError) -> SafeString | str:
    """The faulty line with a mark below the fault; empty when the place is not known."""
    if error.lineno is None or error.colno is None:
        return ""
    line = patch.split("\n")[error.lineno - 1]
    first = max(0, error.colno - EXCERPT_WIDTH // 2)
    before = re.sub(r"[^\t]", " ", line[first : error.colno - 1])
    text = f"{line[first : first + EXCERPT_WIDTH]}\n{before}^"
    # The message says the place in words; read aloud, the mark would only be noise.
    return format_html('<pre class="aiext-code" aria-hidden="true">{}</pre>', text)


_LINE_COMMENTS = re.compile(r"\s*((?://[^\n]*\n\s*)+)")
_BLOCK_COMMENT = re.compile(r"\s*/\*(.*?)\*/", re.DOTALL)


@dataclass(frozen=True, slots=True)
class TemplateInfo:
    """What to know of a template before picking it.

    Attributes:
        path: inside its directory, as a profile names it.
        name: for people.
        description: its ``description`` key or else the first paragraph of the comment it begins with; may be empty.
        problem: why it cannot be used; None when it can.
        text: the file as it is.
    """

    path: str
    name: str
    description: str = ""
    problem: str | None = None
    text: str = ""

    @property
    def source(self) -> Readable:
        """The file, comments and all, without credentials."""
        return readable(self.text)


def all_templates() -> list[TemplateInfo]:
    """Every template on disk, by path."""
    return [_info(path, name) for path, name in discover_templates()]


def template_info(path: str) -> TemplateInfo:
    """One template; of one that is not there only the path and the problem are known."""
    return _info(path, dict(discover_templates()).get(path, path))


def _info(path: str, name: str) -> TemplateInfo:
    # Parsed templates are cached, so a page with all of them is quick; why one does not load is found out anew.
    config = load_template(path)
    version = template_version(path)
    if config is None or version is None:
        return TemplateInfo(path, name, problem=template_problem(path))
    text = Path(version[0]).read_text(encoding="utf-8")
    stated = config.get("description")
    description = stated if isinstance(stated, str) and stated.strip() else leading_comment(text)
    return TemplateInfo(path, name, " ".join(description.split()), text=text)


def leading_comment(source: str) -> str:
    """The first paragraph of the comment that a template begins with; empty without one."""
    source = source.removeprefix("\ufeff")
    lines = _LINE_COMMENTS.match(source)
    if lines is not None:
        words = [line.strip().removeprefix("//") for line in lines[1].splitlines()]
    else:
        block = _BLOCK_COMMENT.match(source)
        words = [line.strip().lstrip("*") for line in block[1].splitlines()] if block else []
    paragraph: list[str] = []
    for line in words:
        # What is set in further is an example, and an empty line ends the paragraph.
        if paragraph and (not line.strip() or line.startswith("  ")):
            break
        if line.strip():
            paragraph.append(line.strip())
    return "\n".join(paragraph)
