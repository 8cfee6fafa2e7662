from datetime import UTC, datetime

from xmodule.modulestore.exceptions import ItemNotFoundError

from tests.fakes.openedx_platform import world

_COLLECTED = ("display_name", "due", "hide_from_toc", "graded", "format")


class BlockStructureBlockData:
    def __init__(self, root_block_usage_key, relations, fields):
        self.root_block_usage_key = root_block_usage_key
        self._relations = relations
        self._fields = fields

    def __contains__(self, usage_key):
        return usage_key in self._relations

    def get_children(self, usage_key):
        return self._relations[usage_key] if usage_key in self else []

    def get_xblock_field(self, usage_key, field_name, default=None):
        return self._fields.get(usage_key, {}).get(field_name, default)


def get_course_blocks(user, starting_block_usage_key, transformers=None):
    here = world.current
    here.calls["get_course_blocks"] += 1
    blocks = here.tree() if here.collected is None else here.collected
    if starting_block_usage_key not in blocks:
        raise ItemNotFoundError(starting_block_usage_key)
    relations, fields = {}, {}

    def add(usage_key):
        block, children = blocks[usage_key]
        fields[usage_key] = {name: getattr(block, name) for name in _COLLECTED}
        own_date = here.own_dates.get((user.get_username(), usage_key))
        if own_date:
            fields[usage_key]["due"] = own_date
        relations[usage_key] = [key for key in children if _is_visible(user, blocks[key][0])]
        for key in relations[usage_key]:
            add(key)

    if _is_visible(user, blocks[starting_block_usage_key][0]):
        add(starting_block_usage_key)
    return BlockStructureBlockData(starting_block_usage_key, relations, fields)


def _is_visible(user, block):
    """Enrolment plays no part."""
    here, now = world.current, datetime.now(UTC)
    if here.is_staff(user, block.location.course_key):
        return True
    groups = here.groups.get(user.get_username(), set())
    return not (
        block.visible_to_staff_only
        or (block.start and block.start > now)
        or (block.hide_after_due and block.due and block.due < now)
        or any(allowed and groups.isdisjoint(allowed) for allowed in block.group_access.values())
        or block.is_time_limited
    )
