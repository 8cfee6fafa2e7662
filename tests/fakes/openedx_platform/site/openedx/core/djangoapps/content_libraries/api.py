from dataclasses import dataclass

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.core.validators import validate_unicode_slug
from lxml import etree
from opaque_keys.edx.locator import LibraryUsageLocatorV2
from xblock.exceptions import XBlockNotFoundError
from xblock.plugin import PluginMissingError

from tests.fakes.openedx_platform import world

from .permissions import CAN_EDIT_THIS_CONTENT_LIBRARY


class ContentLibraryNotFound(ObjectDoesNotExist):
    pass


class ContentLibraryBlockNotFound(XBlockNotFoundError):
    pass


class _ComponentDoesNotExist(ObjectDoesNotExist):
    """Raised for the same by functions that look further down."""


class ContentLibraryCollectionNotFound(ObjectDoesNotExist):
    pass


class LibraryCollectionAlreadyExists(Exception):
    pass


class LibraryBlockAlreadyExists(Exception):
    pass


class IncompatibleTypesError(Exception):
    pass


class BlockLimitReachedError(Exception):
    pass


@dataclass(frozen=True)
class LibraryXBlockMetadata:
    usage_key: LibraryUsageLocatorV2


@dataclass(frozen=True)
class Collection:
    key: str


def _library(library_key):
    if library_key not in world.current.libraries:
        raise ContentLibraryNotFound
    return world.current.libraries[library_key]


def require_permission_for_library_key(library_key, user, permission):
    assert permission == CAN_EDIT_THIS_CONTENT_LIBRARY
    library = _library(library_key)
    if not (user.is_staff or user.get_username() in library.editors):
        raise PermissionDenied
    return library


def create_library_block(library_key, block_type, definition_id, user_id=None, can_stand_alone=True):
    library = _library(library_key)
    if len(library.blocks) >= library.limit:
        raise BlockLimitReachedError
    validate_unicode_slug(definition_id)
    if block_type not in library.types | library.types_with_children:
        raise PluginMissingError(block_type)
    if block_type in library.types_with_children:
        raise IncompatibleTypesError
    usage_key = LibraryUsageLocatorV2(library_key, block_type, definition_id)
    if usage_key in library.blocks or usage_key in library.deleted:
        raise LibraryBlockAlreadyExists
    library.blocks[usage_key] = ""
    library.authors[usage_key] = [user_id]
    return LibraryXBlockMetadata(usage_key)


def set_library_block_olx(usage_key, new_olx_str):
    _set_olx(usage_key, new_olx_str, None)


def newer_set_library_block_olx(usage_key, new_olx_str, created_by=None):
    """As releases of 2026 have it."""
    _set_olx(usage_key, new_olx_str, created_by)


def _set_olx(usage_key, new_olx_str, created_by):
    library = _library(usage_key.lib_key)
    if usage_key not in library.blocks:
        raise _ComponentDoesNotExist
    if library.refuses:
        raise library.refuses("not accepted")
    if etree.fromstring(new_olx_str).tag != usage_key.block_type:
        raise ValueError("wrong root tag")
    library.blocks[usage_key] = new_olx_str
    library.authors[usage_key].append(created_by)


def delete_library_block(usage_key, user_id=None):
    library = _library(usage_key.lib_key)
    if usage_key in library.deleted:
        return
    if usage_key not in library.blocks:
        raise _ComponentDoesNotExist
    # It can be restored, so its id stays taken.
    library.deleted.add(usage_key)
    del library.blocks[usage_key]


def publish_changes(library_key, user_id=None):
    library = _library(library_key)
    library.published = dict(library.blocks)


def create_library_collection(
    library_key, collection_key, title, *, description="", created_by=None, content_library=None
):
    library = _library(library_key)
    if collection_key in library.collections:
        raise LibraryCollectionAlreadyExists
    library.collections[collection_key] = (title, [])
    return Collection(collection_key)


def update_library_collection_items(
    library_key, collection_key, *, opaque_keys, created_by=None, remove=False, content_library=None
):
    library = _library(library_key)
    for key in opaque_keys:
        if key not in library.blocks and key not in library.deleted:
            raise ContentLibraryBlockNotFound(key)
    if collection_key not in library.collections:
        raise ContentLibraryCollectionNotFound
    items = library.collections[collection_key][1]
    for key in opaque_keys:
        if remove:
            items.remove(key)
        elif key not in items:
            items.append(key)
    return Collection(collection_key)
