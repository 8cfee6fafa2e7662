import json

from tests.fakes.openedx_platform import world


class _StudentModules:
    def filter(self, *, student, course_id, module_state_key__in):
        world.current.calls["student_modules"] += 1
        self._found = [
            (key, json.dumps(state))
            for (username, key), state in world.current.states.items()
            if username == student.get_username() and key.course_key == course_id and key in module_state_key__in
        ]
        return self

    def values_list(self, *names):
        assert names == ("module_state_key", "state")
        return self._found


class StudentModule:
    objects = _StudentModules()
