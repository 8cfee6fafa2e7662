"""Keys and checks for new blocks and collections of content libraries."""

from __future__ import annotations

import secrets

from django.core.exceptions import ValidationError
from django.core.validators import validate_unicode_slug
from django.utils.text import slugify
from django.utils.translation import gettext as _
from opaque_keys import InvalidKeyError
from opaque_keys.edx.locator import LibraryLocatorV2, LibraryUsageLocatorV2

from openedx_ai_extensions.edxapp.safe_parsing import BrokenXML, parse_xml
from openedx_ai_extensions.exceptions import ProcessorError

_MAX_SLUG_CHARS = 40


def new_block_key(library_key: LibraryLocatorV2, block_type: str, block_id: str) -> LibraryUsageLocatorV2:
    """Raises ProcessorError: the type or the id is not valid in a key."""
    try:
        # Keys may contain a point, the platform's ids may not.
        validate_unicode_slug(block_id)
        return LibraryUsageLocatorV2(library_key, block_type, block_id)  # type: ignore[abstract]  # wrong stubs
    except (InvalidKeyError, ValueError, ValidationError) as error:
        raise ProcessorError(_("This is not an id for a block of a library.")) from error


def new_collection_key(title: str) -> str:
    """A unique key that starts with the title: several collections may have the same one."""
    return f"{slugify(title)[:_MAX_SLUG_CHARS].strip('-') or 'collection'}-{secrets.token_hex(4)}"


def check_olx(olx: str, block_type: str) -> None:
    """Raises ProcessorError: it is not well-formed, or not a block of this type."""
    try:
        root = parse_xml(olx.encode("utf-8", "replace"))
    except BrokenXML as error:
        raise ProcessorError(_("The content of this block is not well-formed XML.")) from error
    if root.tag != block_type:
        raise ProcessorError(_("The content is not that of a block of this type."))
