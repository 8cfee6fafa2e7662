from contextlib import contextmanager

from xmodule.modulestore.exceptions import ItemNotFoundError

from tests.fakes.openedx_platform import world


class ModuleStore:
    def get_item(self, usage_key, depth=0, lazy=True):
        here = world.current
        here.calls["get_item"] += 1
        try:
            read = here.fetch(usage_key, depth)
            # Lazy ones are loaded one by one when somebody looks at their content.
            here.calls["definitions"] += read if lazy else 1
            return here.find(usage_key)
        except KeyError:
            raise ItemNotFoundError(usage_key) from None

    def get_course(self, course_key):
        try:
            return self.get_item(self.make_course_usage_key(course_key))
        except ItemNotFoundError:
            return None

    def get_parent_location(self, usage_key):
        world.current.calls["get_parent_location"] += 1
        return world.current.parent(usage_key)

    def has_item(self, usage_key):
        world.current.calls["has_item"] += 1
        try:
            # Any branch or version of a key leads to the block.
            world.current.find(usage_key.for_branch(None).version_agnostic())
        except KeyError:
            return False
        return True

    def make_course_usage_key(self, course_key):
        return course_key.make_usage_key("course", "course")

    def branch_setting(self, branch_setting, course_key):
        return world.current.branch(branch_setting)

    @contextmanager
    def bulk_operations(self, course_key):
        world.current.calls["bulk_operations"] += 1
        yield


def modulestore():
    return ModuleStore()
