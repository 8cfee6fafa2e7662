"""The form of a profile, and the templates to choose from."""

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
from openedx_ai_extensions.workflows.patches import Readable, readable
from openedx_ai_extensions.workflows.template_utils import (
    JSON5DecodeError,
    discover_templates,
    load_template,
    parse_patch,
    template_problem,
    template_version,
)

EXCERPT_WIDTH = 100  # characters of a line in an error message
_LEADING_COMMENT = re.compile(r"\s*(?:(?://[^\n]*\n\s*)+|/\*.*?\*/)", re.DOTALL)


class ProfileForm(forms.ModelForm):
    """The template is chosen from the files, the patch is typed as JSON5."""

    base_filepath = forms.ChoiceField(
        label=gettext_lazy("Template"),
        help_text=gettext_lazy(
            "The workflow that this profile is based on, a file of the site. The patch below changes it."
        ),
    )
    # Not stripped, so that line numbers in errors are those of the typed text.
    content_patch = forms.CharField(
        label=gettext_lazy("Patch (JSON5)"),
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={"class": "aiext-code", "rows": 20, "cols": 100, "spellcheck": "false", "autocomplete": "off"}
        ),
        help_text=gettext_lazy(
            "Only the differences from the template. Objects are merged key by key; lists and other values replace "
            "those of the template; null removes a key. Comments and trailing commas are allowed. Leave it empty to "
            "use the template unchanged. Credentials belong in the setting AI_EXTENSIONS, not here."
        ),
    )

    class Meta:
        model = AIWorkflowProfile
        fields = ("slug", "description", "base_filepath", "content_patch")
        help_texts = {
            "slug": gettext_lazy("A short unique name. Reports and learning records show it."),
            "description": gettext_lazy("What this workflow is for, in your own words. Learners do not see it."),
        }
        widgets = {"description": forms.Textarea(attrs={"rows": 3, "cols": 100})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The page of people who may only view it has no such field.
        template = self.fields.get("base_filepath")
        if isinstance(template, forms.ChoiceField):
            template.choices = template_choices(self.instance.base_filepath)

    def clean_content_patch(self) -> str:
        """The patch with plain line ends.

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
    """Browsers send CR LF; the line numbers of errors count LF."""
    return typed.replace("\r\n", "\n").replace("\r", "\n")


def template_choices(current: str) -> list[tuple[str, str]]:
    """The templates on disk, and the current one even if its file is missing."""
    templates = discover_templates()
    choices = [(path, f"{name} – {path}") for path, name in templates]
    if not current:
        return [("", _("Choose a template")), *choices]
    if current not in dict(templates):
        return [(current, _("{path} (the file is missing)").format(path=current)), *choices]
    return choices


def excerpt(patch: str, error: JSON5DecodeError) -> SafeString | str:
    """The line of the error, with a mark below the position; empty if the position is not known."""
    if error.lineno is None or error.colno is None:
        return ""
    line = patch.split("\n")[error.lineno - 1]
    first = max(0, error.colno - EXCERPT_WIDTH // 2)
    before = re.sub(r"[^\t]", " ", line[first : error.colno - 1])
    text = f"{line[first : first + EXCERPT_WIDTH]}\n{before}^"
    # Hidden from screen readers, because the message tells the position in words.
    return format_html('<pre class="aiext-code" aria-hidden="true">{}</pre>', text)


@dataclass(frozen=True, slots=True)
class TemplateInfo:
    """A template, as shown to people who choose one.

    Attributes:
        path: its path in its directory, as profiles name it.
        name: a readable name.
        description: its key ``description``, or the first paragraph of its leading comment; may be empty.
        problem: why it cannot be used, or None.
        text: the content of the file.
    """

    path: str
    name: str
    description: str = ""
    problem: str | None = None
    text: str = ""

    @property
    def source(self) -> Readable:
        """The file with its comments, but without credentials."""
        return readable(self.text)


def all_templates() -> list[TemplateInfo]:
    """Every template on disk, ordered by path."""
    return [_info(path, name) for path, name in discover_templates()]


def template_info(path: str) -> TemplateInfo:
    """One template; of a missing one, only the path and the problem are known."""
    return _info(path, dict(discover_templates()).get(path, path))


def _info(path: str, name: str) -> TemplateInfo:
    config = load_template(path)  # cached, unlike the problem
    version = template_version(path)
    if config is None or version is None:
        return TemplateInfo(path, name, problem=template_problem(path))
    text = Path(version[0]).read_text(encoding="utf-8")
    stated = config.get("description")
    description = stated if isinstance(stated, str) and stated.strip() else leading_comment(text)
    return TemplateInfo(path, name, " ".join(description.split()), text=text)


def leading_comment(source: str) -> str:
    """The first paragraph of the comment at the start of a template; empty without one."""
    comment = _LEADING_COMMENT.match(source.removeprefix("\ufeff"))
    paragraph: list[str] = []
    for marked in comment[0].strip().removesuffix("*/").splitlines() if comment else ():
        line = marked.strip().lstrip("/*")
        # An empty line ends the paragraph, and so does an indented one, which is an example.
        if paragraph and (not line.strip() or line.startswith("  ")):
            break
        if line.strip():
            paragraph.append(line.strip())
    return "\n".join(paragraph)
