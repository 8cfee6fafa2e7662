from datetime import UTC, datetime

from tests.fakes.openedx_platform import world


class HiddenContentTransformer:
    def transform(self, usage_info, block_structure):
        here = world.current
        if here.is_staff(usage_info.user, usage_info.course_key):
            return
        for key in list(block_structure):
            due = block_structure.get_xblock_field(key, "due")
            if due and block_structure.get_xblock_field(key, "hide_after_due") and not datetime.now(UTC) < due:
                if here.is_newer:
                    block_structure.override_xblock_field(key, "is_hidden_after_due", True)
                else:
                    block_structure.remove_block(key, False)
