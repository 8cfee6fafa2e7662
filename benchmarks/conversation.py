"""What a turn costs late in a long conversation, beside what the second turn costs.

Each person has a conversation of 200 turns over REST, answered by the suite's fake provider. Bytes read from the
database are an estimate: the sizes of all values in all fetched rows, texts as UTF-8, numbers and times as eight bytes;
what the protocol adds is left out. Bytes sent to the provider are the ``Content-Length`` of its requests. The provider
runs in this process, so its few milliseconds are part of the time, the same for every turn. Right beside each turn that
is timed, somebody new has a second turn: the ratio of times is the median of such pairs, as machines have moods.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any
from urllib.parse import urlencode

from benchmarks.measure import answers
from benchmarks.site import test_site

PEOPLE, TURNS = 3, 202
# The turns whose median stands for a mark. No turn before the second is like it: the first makes the session.
MARKS = {2: (2, 3), 10: range(8, 13), 50: range(48, 53), 200: range(198, 203)}
CONTEXT = {
    "courseId": "course-v1:OpenedX+AIX+demo",
    "locationId": "block-v1:OpenedX+AIX+demo+type@vertical+block@unit_sunlight",
    "uiSlotSelectorId": "chat",
}
QUESTION = "Question {:03}: why do leaves look green, and what would a plant look like that used all of the light?"
ANSWER = "Chlorophyll takes in red and blue light, and sends much of the green back to whoever looks at the leaf."


@dataclass(slots=True)
class Cost:
    """Of one turn."""

    queries: int = 0
    bytes_read: int = 0
    bytes_sent: int = 0
    seconds: float = 0.0
    beside_second_turn: float = 1.0  # ratio of the seconds to those of a second turn at the same moment


def main() -> None:
    with test_site():
        _run()
    # The database is chosen when the settings are imported.
    if os.environ.get("TEST_DATABASE") != "mariadb" and answers(3306):
        environment = {**os.environ, "TEST_DATABASE": "mariadb"}
        subprocess.run([sys.executable, "-m", "benchmarks.conversation"], check=True, env=environment)


def _run() -> None:
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.db import connection
    from django.test.utils import override_settings

    from openedx_ai_extensions.models import AIWorkflowProfile, AIWorkflowScope
    from tests.fakes.provider import FakeProvider

    # Events go to a broker, as in production, rather than being delivered within the request.
    settings.CELERY_APP.conf.update(task_always_eager=False, broker_url="memory://")
    profile = AIWorkflowProfile.objects.create(slug="chat", base_filepath="base/chat.json5")
    AIWorkflowScope.objects.create(profile=profile, course_id=CONTEXT["courseId"], ui_slot_selector_id="chat")
    (course,) = settings.AI_EXTENSIONS_STANDALONE["COURSES"]
    for keeps_threads in (False, True):
        with FakeProvider() as provider:
            provider.reply(ANSWER)
            parameters = {"MODEL": "openai/gpt-fake", "API_KEY": "k", "API_BASE": provider.base_url}
            parameters["CAPABILITIES"] = {"keeps_threads": keeps_threads}
            courses = [{**course, "learners": "*"}]
            with override_settings(
                AI_EXTENSIONS={"default": parameters}, AI_EXTENSIONS_STANDALONE={"COURSES": courses}
            ):
                people = [
                    get_user_model().objects.create_user(f"learner {keeps_threads} {number}")
                    for number in range(PEOPLE)
                ]
                costs = _conversations(people, provider)
        memory = "the provider's threads" if keeps_threads else "our history"
        _table(f"A turn of a conversation: {memory}, {connection.display_name}", costs)


def _conversations(people: Sequence[Any], provider: Any) -> Mapping[int, list[Cost]]:
    """The cost of each turn, one of each person. All have their first turn, then all their second, and so on."""
    from django.test import Client
    from django.urls import reverse

    url = f"{reverse('openedx_ai_extensions:api:v1:aiext_workflows')}?{urlencode({'context': json.dumps(CONTEXT)})}"

    def client(person: Any) -> Any:
        made = Client()
        made.force_login(person)
        return made

    def turn(of: Any, number: int) -> Cost:
        body = json.dumps({"action": "run", "user_input": QUESTION.format(number)})
        provider.requests.clear()
        with _counted() as cost:
            start = time.perf_counter()
            response = of.post(url, body, content_type="application/json", headers={"Accept": "application/json"})
            cost.seconds = time.perf_counter() - start
        if response.status_code != 200 or response.json()["response"] != ANSWER:
            raise AssertionError(response.content)
        cost.bytes_sent = sum(int(request["headers"]["Content-Length"]) for request in provider.requests)
        return cost

    timed = {number for turns in MARKS.values() for number in turns}
    clients = [client(person) for person in people]
    costs: dict[int, list[Cost]] = {}
    for number in range(1, TURNS + 1):
        for place, of in enumerate(clients):
            newcomer = None
            if number in timed:
                newcomer = client(type(people[0]).objects.create_user(f"{people[place].username} beside {number}"))
                turn(newcomer, 1)
            cost = turn(of, number)
            if newcomer is not None:
                cost.beside_second_turn = cost.seconds / turn(newcomer, 2).seconds
            costs.setdefault(number, []).append(cost)
    return costs


@contextlib.contextmanager
def _counted() -> Iterator[Cost]:
    """Count the queries of this thread's connection, and the bytes in the rows that they fetch."""
    from django.db import connection
    from django.db.backends.utils import CursorWrapper

    cost = Cost()

    class Counting(CursorWrapper):
        def __iter__(self):
            for row in super().__iter__():
                yield self._count(row)

        def fetchone(self):
            return self._count(self.cursor.fetchone())

        def fetchmany(self, *arguments):
            return self._count_all(self.cursor.fetchmany(*arguments))

        def fetchall(self):
            return self._count_all(self.cursor.fetchall())

        def _count_all(self, rows):
            # Handed on as they are: Django knows the end by what the driver returns then, a list or a tuple.
            for row in rows:
                self._count(row)
            return rows

        def _count(self, row):
            cost.bytes_read += sum(_size(value) for value in row or ())
            return row

    def count_query(execute, *arguments):
        cost.queries += 1
        return execute(*arguments)

    connection.make_cursor = lambda cursor: Counting(cursor, connection)
    try:
        with connection.execute_wrapper(count_query):
            yield cost
    finally:
        del connection.make_cursor


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    return len(value) if isinstance(value, bytes) else 8 * (value is not None)


def _table(title: str, costs: Mapping[int, list[Cost]]) -> None:
    marks = {
        mark: [statistics.median(column) for column in zip(*_rows(costs, turns), strict=True)]
        for mark, turns in MARKS.items()
    }
    print(title)
    print(f"  {'turn':>4}  {'queries':>14}  {'bytes read':>18}  {'bytes sent':>18}  {'time':>20}")
    for mark, figures in marks.items():
        ratios = [figure / first for figure, first in zip(figures, marks[2], strict=True)]
        texts = [f"{figure:,.0f} ({ratio:.2f})" for figure, ratio in zip(figures[:3], ratios, strict=False)]
        texts.append(f"{figures[3] * 1e3:.1f} ms ({figures[4]:.2f})")
        print(f"  {mark:>4}  {texts[0]:>14}  {texts[1]:>18}  {texts[2]:>18}  {texts[3]:>20}")
    most_number, most = max(
        ((number, max(cost.bytes_sent for cost in of_turn)) for number, of_turn in costs.items()),
        key=lambda pair: pair[1],
    )
    mean = statistics.mean(cost.bytes_sent for number in range(11, TURNS + 1) for cost in costs[number])
    print(f"  bytes sent: {mean:,.0f} on average from turn 11 on; most at turn {most_number}: {most:,}")
    # Once as many messages are there as the model is sent, nothing may grow any more.
    for name, place, limit in (
        ("queries", 0, 1.0),
        ("bytes read", 1, 1.05),
        ("bytes sent", 2, 1.05),
        ("time", 4, 1.15),
    ):
        ratio = marks[200][place] / marks[10][place]
        verdict = "ok" if ratio <= limit else "MISSED"
        print(f"  {f'{name}, turn 200 / turn 10':<56} {ratio:6.2f}   (at most {limit:.2f}: {verdict})")


def _rows(costs: Mapping[int, list[Cost]], turns: Sequence[int]) -> list[tuple[float, ...]]:
    return [astuple(cost) for number in turns for cost in costs[number]]


if __name__ == "__main__":
    main()
