from datetime import UTC, datetime

from lms.djangoapps.course_blocks.transformers.hidden_content import HiddenContentTransformer
from openedx.core.djangoapps.content.block_structure.transformers import BlockStructureTransformers
from xmodule.modulestore.exceptions import ItemNotFoundError

from tests.fakes.openedx_platform import world

_COLLECTED = (
    "display_name", "due", "hide_from_toc", "graded", "format", "self_paced", "max_count", "hide_after_due"
)  # fmt: skip


class BlockStructureBlockData:
    def __init__(self, root_block_usage_key, relations, fields):
        self.root_block_usage_key = root_block_usage_key
        self._relations = relations
        self._fields = fields
        self._transformer_fields = {}

    def __contains__(self, usage_key):
        return usage_key in self._relations

    def __iter__(self):
        return iter(self._relations)

    def get_children(self, usage_key):
        return self._relations[usage_key] if usage_key in self else []

    def get_xblock_field(self, usage_key, field_name, default=None):
        return self._fields.get(usage_key, {}).get(field_name, default)

    def override_xblock_field(self, usage_key, field_name, override_data):
        self._fields[usage_key][field_name] = override_data

    def get_transformer_block_field(self, usage_key, transformer, key, default=None):
        return self._transformer_fields.get((usage_key, transformer, key), default)

    def set_transformer_block_field(self, usage_key, transformer, key, value):
        self._transformer_fields[usage_key, transformer, key] = value

    def remove_block(self, usage_key, keep_descendants):
        own = self._relations.pop(usage_key) if keep_descendants else self._relations.pop(usage_key) and []
        for parent, children in self._relations.items():
            if usage_key in children:
                place = children.index(usage_key)
                self._relations[parent] = [*children[:place], *own, *children[place + 1 :]]

    def prune_unreachable(self):
        reached, waiting = set(), [self.root_block_usage_key]
        while waiting:
            key = waiting.pop()
            if key in self:
                reached.add(key)
                waiting += self._relations[key]
        self._relations = {key: children for key, children in self._relations.items() if key in reached}


class _Transformer:
    @classmethod
    def name(cls):
        return cls.__name__


class _ForLearners(_Transformer):
    """Takes away what a person may not see. Staff see everything; enrolment plays no part."""

    def transform(self, usage_info, structure):
        user, here = usage_info.user, world.current
        for key in list(structure):
            if not here.is_staff(user, key.course_key) and self.takes(user, key, structure):
                structure.remove_block(key, keep_descendants=False)


class _Visibility(_ForLearners):
    """Staff only, start dates, groups and cohorts."""

    def takes(self, user, key, structure):
        block = world.current.block(key)
        groups = world.current.groups.get(user.get_username(), set())
        return (
            block.visible_to_staff_only
            or (block.start and block.start > datetime.now(UTC))
            or any(allowed and groups.isdisjoint(allowed) for allowed in block.group_access.values())
        )


class _SplitTest(_ForLearners):
    """Takes split tests away, and of what is in them all but what this person gets; staff keep all of it."""

    def transform(self, usage_info, structure):
        super().transform(usage_info, structure)
        for key in list(structure):
            if key.block_type == "split_test":
                structure.remove_block(key, keep_descendants=True)

    def takes(self, user, key, structure):
        here = world.current
        parent = here.parent(key)
        return parent and parent.block_type == "split_test" and (user.get_username(), key) not in here.arms


class _Banks(_Transformer):
    """Resolves banks, for staff too: what nobody has chosen yet is chosen here, and kept."""

    def transform(self, usage_info, structure):
        here, user = world.current, usage_info.user
        types = {"library_content", "itembank"} if here.is_newer else {"library_content"}
        for key in [key for key in structure if key.block_type in types]:
            children = structure.get_children(key)
            most = structure.get_xblock_field(key, "max_count")
            state = here.states.setdefault((user.get_username(), key), {})
            state.setdefault("selected", [[child.block_type, child.block_id] for child in children[:most]])
            for child in list(children):
                if [child.block_type, child.block_id] not in state["selected"]:
                    structure.remove_block(child, keep_descendants=False)


class _Paid(_Transformer):
    """Marks what is for paying learners, and leaves it in."""

    def transform(self, usage_info, structure):
        if usage_info.user.get_username() not in world.current.not_paid:
            return
        for key in structure:
            if key.block_type == "problem" and structure.get_xblock_field(key, "graded"):
                structure.override_xblock_field(key, "authorization_denial_reason", "Feature-based Enrollments")
                structure.override_xblock_field(key, "authorization_denial_message", "Upgrade to see it.")


class _OwnDates(_Transformer):
    @classmethod
    def name(cls):
        return "load_date_data"

    def transform(self, usage_info, structure):
        here = world.current
        for (username, key), date in here.own_dates.items():
            if username == usage_info.user.get_username() and key in structure:
                value = date.strftime("%Y-%m-%dT%H:%M:%SZ") if here.dates_are_text else date
                structure.override_xblock_field(key, "due", value)


class _UsageInfo:
    def __init__(self, course_key, user):
        self.course_key, self.user = course_key, user


def get_course_block_access_transformers(user):
    return [_Banks(), _Visibility(), _SplitTest(), _Paid(), _OwnDates()]


def get_course_blocks(user, starting_block_usage_key, transformers=None):
    here = world.current
    here.calls["get_course_blocks"] += 1
    blocks = here.tree() if here.collected is None else here.collected
    if starting_block_usage_key not in blocks:
        raise ItemNotFoundError(starting_block_usage_key)
    relations, fields = {}, {}

    def add(usage_key):
        block, children = blocks[usage_key]
        relations[usage_key] = list(children)
        fields[usage_key] = {name: getattr(block, name) for name in _COLLECTED if name in block.fields}
        for key in children:
            add(key)

    add(starting_block_usage_key)
    structure = BlockStructureBlockData(starting_block_usage_key, relations, fields)
    HiddenContentTransformer.collect(structure)
    transformers = transformers or BlockStructureTransformers(get_course_block_access_transformers(user))
    transformers.usage_info = _UsageInfo(starting_block_usage_key.course_key, user)
    transformers.transform(structure)
    return structure
