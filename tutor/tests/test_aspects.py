"""The dashboard in Aspects: its parts fit together, and its SQL reads the statements that are really sent."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

ASSETS = "plugins/aspects/apps/superset/pythonpath/assets.yaml"
STATEMENTS = sorted((Path(__file__).parent / "statements").glob("*.json"))
EXTRACT = re.compile(r"JSONExtract\w+\(\s*(\w+)\s*((?:,\s*(?:'[^']*'|\d+)\s*)*)\)")


@pytest.fixture(scope="module")
def assets(site):
    kinds = {"table_name": "datasets", "slice_name": "charts", "dashboard_title": "dashboards"}
    found: dict[str, dict[str, Any]] = {kind: {} for kind in kinds.values()}
    for asset in site.yaml(ASSETS):
        kind = next(folder for key, folder in kinds.items() if key in asset)
        assert asset["_file_name"].endswith(".yaml")
        assert asset["uuid"] not in found[kind]
        found[kind][asset["uuid"]] = asset
    return found


@pytest.fixture(scope="module")
def dataset(assets):
    (dataset,) = assets["datasets"].values()
    return dataset


@pytest.fixture(scope="module")
def query(dataset):
    (query,) = sqlglot.parse(dataset["sql"], dialect="clickhouse")
    return query


def test_every_uuid_is_one_and_ours_alone(site, assets):
    ours = [each for kind in assets.values() for each in kind]
    assert len(ours) == len(set(ours)) == len({str(uuid.UUID(each)) for each in ours})
    aspects = site.root / "env" / "plugins" / "aspects" / "build" / "aspects-superset" / "openedx-assets"
    theirs = "".join(path.read_text(encoding="utf-8") for path in aspects.rglob("*.yaml"))
    assert theirs
    assert not [each for each in ours if each in theirs]


def test_the_dataset_is_in_the_database_of_aspects(site, dataset):
    aspects = site.root / "env" / "plugins" / "aspects" / "build" / "aspects-superset" / "openedx-assets"
    databases = "".join(path.read_text(encoding="utf-8") for path in aspects.rglob("databases/*.yaml"))
    assert dataset["database_uuid"] in databases
    assert dataset["schema"] == "openedx"


def test_the_query_gives_the_columns_that_are_declared(dataset, query):
    assert query.named_selects == [column["column_name"] for column in dataset["columns"]]
    # By this one Aspects shows instructors their own courses only.
    assert "course_id" in query.named_selects
    (table,) = query.find_all(exp.Table)
    assert (table.db, table.name) == ("openedx", "xapi_events_all")


def test_the_query_takes_nothing_but_what_a_raw_event_has(query):
    made = {alias.alias for alias in query.find_all(exp.Alias, exp.CTE)}
    assert {column.name for column in query.find_all(exp.Column)} - made == {"event_id", "emission_time", "event"}


@pytest.mark.parametrize("statement", [pytest.param(path, id=path.stem) for path in STATEMENTS])
def test_what_the_query_looks_for_is_in_the_statements(dataset, statement):
    event = json.loads(statement.read_text(encoding="utf-8"))
    extensions = event["object"]["definition"]["extensions"]
    usage = next(value for name, value in extensions.items() if name.endswith("ai-usage"))
    sources = {"event": event, "extensions": extensions, "usage": usage}
    found = {}
    for source, path in EXTRACT.findall(dataset["sql"]):
        steps = [json.loads(step.replace("'", '"')) for step in re.findall(r"'[^']*'|\d+", path)]
        found[(source, *steps)] = _follow(sources[source], steps)
    # Where a site identifies people by mail there is no account.
    missing = {steps for steps, value in found.items() if value is None}
    assert missing == {("event", "actor", "mbox"), ("event", "actor", "mbox_sha1sum")}
    assert found[("usage", "total_tokens")] == 150
    assert len(found) == 15
    assert "https://w3id.org/xapi/openedx/activity/ai-workflow" in json.dumps(event)


def _follow(value: Any, steps: list[Any]) -> Any:
    for step in steps:
        is_there = isinstance(value, list) or (isinstance(value, dict) and step in value)
        value = value[step - 1 if isinstance(step, int) else step] if is_there else None
    return value


def test_metrics_are_sql_over_the_columns(dataset):
    columns = {column["column_name"] for column in dataset["columns"]}
    for metric in dataset["metrics"]:
        expression = sqlglot.parse_one(metric["expression"], dialect="clickhouse")
        assert {column.name for column in expression.find_all(exp.Column)} <= columns


def test_charts_show_what_there_is(assets, dataset):
    columns = {column["column_name"] for column in dataset["columns"]}
    metrics = {metric["metric_name"] for metric in dataset["metrics"]}
    for chart in assets["charts"].values():
        params = chart["params"]
        assert chart["dataset_uuid"] == dataset["uuid"]
        assert chart["viz_type"] == params["viz_type"]
        assert {*params.get("metrics", []), *filter(None, [params.get("metric")])} <= metrics
        assert {*params.get("groupby", []), params.get("x_axis", "emission_day")} <= columns
        assert params.get("timeseries_limit_metric", "runs") in metrics


def test_the_dashboard_shows_every_chart_once(assets, dataset):
    (dashboard,) = assets["dashboards"].values()
    position = dashboard["position"]
    elements = {name: element for name, element in position.items() if isinstance(element, dict)}
    assert all(element["id"] == name for name, element in elements.items())
    assert all(child in elements for element in elements.values() for child in element.get("children", ()))
    shown = [element["meta"] for element in elements.values() if element["type"] == "CHART"]
    assert {meta["uuid"] for meta in shown} == set(assets["charts"])
    assert len(shown) == len(assets["charts"])
    assert all(meta["sliceName"] == assets["charts"][meta["uuid"]]["slice_name"] for meta in shown)
    for row in (element for element in elements.values() if element["type"] == "ROW"):
        assert sum(elements[child]["meta"]["width"] for child in row["children"]) == 12
    columns = {column["column_name"] for column in dataset["columns"]}
    for filtered in dashboard["metadata"]["native_filter_configuration"]:
        for target in filter(None, filtered["targets"]):
            assert target["datasetUuid"] == dataset["uuid"]
            assert target["column"]["name"] in columns


def test_the_dashboard_is_for_the_roles_of_the_site(assets):
    (dashboard,) = assets["dashboards"].values()
    assert dashboard["_roles"] == ["Operator", "Instructor"]
