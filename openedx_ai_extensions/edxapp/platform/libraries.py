"""The platform's content libraries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from inspect import signature

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, ValidationError
from django.db import DataError, transaction
from django.utils.translation import gettext as _
from opaque_keys.edx.locator import LibraryLocatorV2, LibraryUsageLocatorV2

from openedx_ai_extensions.edxapp.interface import Person
from openedx_ai_extensions.edxapp.library_blocks import check_olx, new_block_key, new_collection_key
from openedx_ai_extensions.edxapp.platform.imports import EdX
from openedx_ai_extensions.exceptions import InvalidRequest, NotAllowed, ProcessorError


class ContentLibraries:
    """The methods of ``Platform`` that write to content libraries."""

    def require_library_editor(self, user: Person, library_key: LibraryLocatorV2) -> None:
        if not (user.is_authenticated and user.is_active):
            raise NotAllowed
        try:
            EdX.require_permission_for_library_key(library_key, user, EdX.CAN_EDIT_THIS_CONTENT_LIBRARY)
        except (PermissionDenied, ObjectDoesNotExist):
            raise NotAllowed from None

    def create_library_block(
        self, user: Person, library_key: LibraryLocatorV2, block_type: str, block_id: str, olx: str
    ) -> LibraryUsageLocatorV2:
        check_olx(olx, block_type)
        new_block_key(library_key, block_type, block_id)
        # In one transaction: a process that is killed leaves nothing behind.
        with _our_exceptions(), transaction.atomic():
            created = EdX.create_library_block(library_key, block_type, block_id, user_id=user.pk)
            usage_key: LibraryUsageLocatorV2 = created.usage_key
            try:
                _set_olx(user, usage_key, olx)
            except (ValueError, ValidationError, DataError) as error:
                # Deleted by the platform, so that its search index is updated.
                EdX.delete_library_block(usage_key, user_id=user.pk)
                refusal = error
            else:
                return usage_key
        raise ProcessorError(_("The library does not accept the content of this block.")) from refusal

    def delete_library_block(self, user: Person, usage_key: LibraryUsageLocatorV2) -> None:
        with _our_exceptions():
            EdX.delete_library_block(usage_key, user_id=user.pk)

    def publish_library(self, user: Person, library_key: LibraryLocatorV2) -> None:
        with _our_exceptions():
            EdX.publish_changes(library_key, user_id=user.pk)

    def save_in_collection(
        self,
        user: Person,
        library_key: LibraryLocatorV2,
        usage_keys: Sequence[LibraryUsageLocatorV2],
        *,
        key: str | None,
        title: str,
    ) -> str:
        # In one transaction: a new collection is not left behind if the blocks cannot be added to it.
        with _our_exceptions(), transaction.atomic():
            if key is None:
                key = new_collection_key(title)
                collection = EdX.create_library_collection(library_key, key, title, created_by=user.pk)
                key = getattr(collection, "key", key)
            EdX.update_library_collection_items(library_key, key, opaque_keys=list(usage_keys), created_by=user.pk)
        return key


def _set_olx(user: Person, usage_key: LibraryUsageLocatorV2, olx: str) -> None:
    set_olx = EdX.set_library_block_olx
    # Newer releases record the author in the library's history.
    takes_author = "created_by" in signature(set_olx).parameters
    set_olx(usage_key, olx, **({"created_by": user.pk} if takes_author else {}))


@contextmanager
def _our_exceptions() -> Iterator[None]:
    """Converts the platform's exceptions to ours."""
    try:
        yield
    except EdX.ContentLibraryCollectionNotFound as error:
        raise InvalidRequest(_("There is no such collection in the library.")) from error
    except EdX.ContentLibraryNotFound as error:
        raise ProcessorError(_("There is no such library.")) from error
    except (EdX.ContentLibraryBlockNotFound, ObjectDoesNotExist) as error:
        raise ProcessorError(_("There is no such block in the library.")) from error
    except EdX.IncompatibleTypesError as error:
        raise ProcessorError(_("This library does not take blocks of this type.")) from error
    except EdX.PluginMissingError as error:
        raise ProcessorError(_("Blocks of this type are not installed here.")) from error
    except EdX.LibraryBlockAlreadyExists as error:
        raise ProcessorError(_("The library already has a block with this id.")) from error
    except EdX.BlockLimitReachedError as error:
        raise ProcessorError(_("The library is full.")) from error
    except EdX.LibraryCollectionAlreadyExists as error:
        raise ProcessorError(_("The collection could not be created. Please try again.")) from error
