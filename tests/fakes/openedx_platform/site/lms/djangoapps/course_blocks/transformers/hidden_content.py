from datetime import UTC, datetime

from tests.fakes.openedx_platform import world


class HiddenContentTransformer:
    MERGED_HIDE_AFTER_DUE = "merged_hide_after_due"

    @classmethod
    def collect(cls, block_structure):
        for key in block_structure:
            hides = block_structure.get_xblock_field(key, "hide_after_due", False)
            block_structure.set_transformer_block_field(key, cls, cls.MERGED_HIDE_AFTER_DUE, hides)

    def transform(self, usage_info, block_structure):
        here = world.current
        if here.is_staff(usage_info.user, usage_info.course_key):
            return
        for key in list(block_structure):
            due = block_structure.get_xblock_field(key, "due")
            hides = block_structure.get_transformer_block_field(key, type(self), self.MERGED_HIDE_AFTER_DUE, False)
            if due and hides and not datetime.now(UTC) < due:
                if here.is_newer:
                    block_structure.override_xblock_field(key, "is_hidden_after_due", True)
                else:
                    block_structure.remove_block(key, False)
