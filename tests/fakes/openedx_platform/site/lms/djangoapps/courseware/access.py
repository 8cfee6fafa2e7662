from datetime import UTC, datetime

from opaque_keys.edx.keys import CourseKey

from tests.fakes.openedx_platform import world


class AccessResponse:
    """Truthy or falsy, and nothing else that one could take for a bool."""

    def __init__(self, has_access):
        self.has_access = has_access

    def __bool__(self):
        return self.has_access


def has_access(user, action, obj, course_key=None):
    if action == "load":
        return AccessResponse(world.current.is_staff(user, course_key) or _is_open(user, obj))
    world.current.calls["has_access"] += 1
    if action not in {"staff", "instructor"} or not isinstance(obj, CourseKey):
        raise ValueError(f"unknown action {action!r} for {type(obj)}")
    return AccessResponse(world.current.is_staff(user, obj))


def _is_open(user, block):
    """A block as it is now, with all that it is in. A group or partition that is gone opens to nobody."""
    here, key = world.current, block.location
    while key is not None:
        above = here.find(key)
        is_early = above.start and above.start > datetime.now(UTC)
        groups = here.groups.get(user.get_username(), set()) - here.gone_groups
        closed = any(allowed and groups.isdisjoint(allowed) for allowed in above.group_access.values())
        if above.visible_to_staff_only or is_early or closed:
            return False
        key = here.parent(key)
    return True
