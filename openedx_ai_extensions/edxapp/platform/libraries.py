"""Content libraries of the platform."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from inspect import signature

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import DataError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext as _
from opaque_keys.edx.locator import LibraryLocatorV2, LibraryUsageLocatorV2

from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.edxapp.library_blocks import check_olx, new_block_key
from openedx_ai_extensions.edxapp.platform.imports import (
    BLOCK_ALREADY_EXISTS,
    BLOCK_LIMIT_REACHED,
    BLOCK_NOT_FOUND,
    BLOCK_TYPE_NOT_INSTALLED,
    CAN_EDIT_LIBRARY,
    COLLECTION_ALREADY_EXISTS,
    COLLECTION_NOT_FOUND,
    CREATE_COLLECTION,
    CREATE_LIBRARY_BLOCK,
    DELETE_LIBRARY_BLOCK,
    INCOMPATIBLE_TYPES,
    LIBRARY_NOT_FOUND,
    PUBLISH_CHANGES,
    REQUIRE_LIBRARY_PERMISSION,
    SET_LIBRARY_BLOCK_OLX,
    UPDATE_COLLECTION_ITEMS,
    load,
)
from openedx_ai_extensions.exceptions import InvalidRequest, NotAllowed, ProcessorError

_MAX_KEY_CHARS = 40


class ContentLibraries:
    """The half of the platform interface that writes to content libraries."""

    def require_library_editor(self, user: Person, library_key: LibraryLocatorV2) -> None:
        if not (user.is_authenticated and user.is_active):
            raise NotAllowed
        try:
            load(REQUIRE_LIBRARY_PERMISSION)(library_key, user, load(CAN_EDIT_LIBRARY))
        except (PermissionDenied, ObjectDoesNotExist):
            raise NotAllowed from None

    def create_library_block(
        self, user: Person, library_key: LibraryLocatorV2, block_type: str, block_id: str, olx: str
    ) -> LibraryUsageLocatorV2:
        check_olx(olx, block_type)
        new_block_key(library_key, block_type, block_id)
        # A process that dies in between leaves nothing either.
        with transaction.atomic():
            usage_key = self._create_block(user, library_key, block_type, block_id)
            try:
                _set_olx(user, usage_key, olx)
            except (ValueError, ValidationError, DataError) as error:
                # Taken back by the platform itself, so that its search index follows.
                load(DELETE_LIBRARY_BLOCK)(usage_key, user_id=user.pk)
                refusal = error
            else:
                return usage_key
        raise ProcessorError(_("The library does not accept the content of this block.")) from refusal

    def delete_library_block(self, user: Person, usage_key: LibraryUsageLocatorV2) -> None:
        with _our_exceptions():
            load(DELETE_LIBRARY_BLOCK)(usage_key, user_id=user.pk)

    def publish_library(self, user: Person, library_key: LibraryLocatorV2) -> None:
        with _our_exceptions():
            load(PUBLISH_CHANGES)(library_key, user_id=user.pk)

    def save_in_collection(
        self,
        user: Person,
        library_key: LibraryLocatorV2,
        usage_keys: Sequence[LibraryUsageLocatorV2],
        *,
        key: str | None,
        title: str,
    ) -> str:
        # A new collection that the blocks can't be put in is not left behind.
        with _our_exceptions(), transaction.atomic():
            collection_key = self._create_collection(user, library_key, title) if key is None else key
            load(UPDATE_COLLECTION_ITEMS)(library_key, collection_key, opaque_keys=list(usage_keys), created_by=user.pk)
        return collection_key

    def _create_block(
        self, user: Person, library_key: LibraryLocatorV2, block_type: str, block_id: str
    ) -> LibraryUsageLocatorV2:
        with _our_exceptions():
            try:
                usage_key: LibraryUsageLocatorV2 = load(CREATE_LIBRARY_BLOCK)(
                    library_key, block_type, block_id, user_id=user.pk
                ).usage_key
            except load(INCOMPATIBLE_TYPES) as error:
                raise ProcessorError(_("This library does not take blocks of this type.")) from error
            except load(BLOCK_TYPE_NOT_INSTALLED) as error:
                raise ProcessorError(_("Blocks of this type are not installed here.")) from error
            except load(BLOCK_ALREADY_EXISTS) as error:
                raise ProcessorError(_("The library already has a block with this id.")) from error
            except load(BLOCK_LIMIT_REACHED) as error:
                raise ProcessorError(_("The library is full.")) from error
        return usage_key

    def _create_collection(self, user: Person, library_key: LibraryLocatorV2, title: str) -> str:
        name = slugify(title)[:_MAX_KEY_CHARS].strip("-") or "collection"
        # Collections of the same title are common, so the name alone may be taken.
        key = f"{name}-{secrets.token_hex(4)}"
        try:
            collection = load(CREATE_COLLECTION)(library_key, key, title, created_by=user.pk)
        except load(COLLECTION_ALREADY_EXISTS) as error:
            raise ProcessorError(_("The collection could not be made. Please try again.")) from error
        return getattr(collection, "key", key)


def _set_olx(user: Person, usage_key: LibraryUsageLocatorV2, olx: str) -> None:
    set_olx = load(SET_LIBRARY_BLOCK_OLX)
    # Newer releases name the author in the library's history.
    takes_author = "created_by" in signature(set_olx).parameters
    set_olx(usage_key, olx, **({"created_by": user.pk} if takes_author else {}))


@contextmanager
def _our_exceptions() -> Iterator[None]:
    """What the platform raises for something that does not exist, as our exceptions."""
    try:
        yield
    except load(COLLECTION_NOT_FOUND) as error:
        raise InvalidRequest(_("There is no such collection in the library.")) from error
    except load(LIBRARY_NOT_FOUND) as error:
        raise ProcessorError(_("There is no such library.")) from error
    except (load(BLOCK_NOT_FOUND), ObjectDoesNotExist) as error:
        raise ProcessorError(_("There is no such block in the library.")) from error
