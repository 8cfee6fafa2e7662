"""A database as another implementation of the same contract leaves it: tables in plain SQL, and rows in them.

Two shapes: keys that are numbers, and keys that are UUIDs. Columns may be empty that ours may not.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from openedx_ai_extensions.contrib.upgrade import old_tables
from openedx_ai_extensions.contrib.upgrade.foreign_tables import APP, find

PROFILE, PROMPT, SCOPE, SESSION = (
    f"{APP}_{model}" for model in ("aiworkflowprofile", "prompttemplate", "aiworkflowscope", "aiworkflowsession")
)
HISTORY = ("0001_initial", "0002_rename_everything", "0003_prompts")
TIME = "2026-01-02 03:04:05"

_NUMBER = {"sqlite": "integer PRIMARY KEY AUTOINCREMENT", "mysql": "bigint AUTO_INCREMENT PRIMARY KEY"}
_COLUMNS = {
    PROFILE: "{number}, slug varchar(50) NOT NULL UNIQUE, description {text} NULL, base_filepath varchar(255) NOT "
    "NULL, content_patch {text} NULL",
    PROMPT: "{key}, slug varchar(300) NOT NULL UNIQUE, body {text} NOT NULL, created_at datetime NOT NULL, "
    "updated_at datetime NOT NULL",
    SCOPE: "{number}, location_regex varchar(255) NULL, course_id varchar(255) NULL, service_variant varchar(10) NOT "
    "NULL, enabled bool NOT NULL, ui_slot_selector_id varchar(255) NOT NULL, specificity_index integer NOT NULL, "
    "profile_id bigint NULL",
    SESSION: "{key}, course_id varchar(255) NULL, location_id varchar(255) NULL, local_submission_id varchar(255) "
    "NULL, remote_response_id varchar(255) NULL, metadata {text} NULL, created_at datetime NOT NULL, updated_at "
    "datetime NOT NULL, user_id integer NOT NULL, scope_id bigint NULL, profile_id bigint NULL",
}


def run_sql(statement: str, *parameters: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return list(cursor.fetchall()) if cursor.description else []


def names_of_ours() -> dict[str, list[str]]:
    """What has a name in the whole database, by the column that it is of: Django gave theirs the same."""
    with connection.cursor() as cursor:
        found = {table: connection.introspection.get_constraints(cursor, table) for table in (SCOPE, SESSION)}
    kind = "foreign_key" if connection.vendor == "mysql" else "index"
    return {
        table: [
            (name, constraint["columns"][0], constraint["foreign_key"])
            for name, constraint in constraints.items()
            if constraint[kind] and len(constraint["columns"]) == 1 and not constraint["unique"]
        ]
        for table, constraints in found.items()
    }


def no_tables() -> None:
    """Neither tables of this app nor a history."""
    finding = find(connection)
    old_tables.drop(connection, [*finding.tables, *finding.aside])
    MigrationRecorder(connection).migration_qs.filter(app=APP).delete()


class OldSite:
    """Its tables, made on entering; rows are put into them by the methods, which return keys."""

    def __init__(self, *, has_uuids: bool = False, history: tuple[str, ...] = HISTORY) -> None:
        self.has_uuids = has_uuids
        taken = names_of_ours()
        no_tables()
        number = f"id {_NUMBER[connection.vendor]}"
        # Long texts and short keys are what both databases take.
        key = "id char(32) PRIMARY KEY" if has_uuids else number
        for table, columns in _COLUMNS.items():
            run_sql(f"CREATE TABLE {table} ({columns.format(number=number, key=key, text='longtext')})")
        for table, names in taken.items():
            for name, column, relation in names:
                if column not in _COLUMNS[table]:
                    continue
                if connection.vendor == "mysql":
                    run_sql(
                        f"ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({column}) "
                        f"REFERENCES {relation[0]} ({relation[1]})"
                    )
                else:
                    run_sql(f"CREATE INDEX {name} ON {table} ({column})")
        for name in history:
            MigrationRecorder(connection).record_applied(APP, name)

    def add(self, table: str, **values: Any) -> Any:
        if "id" not in values and self.has_uuids and table in (PROMPT, SESSION):
            values["id"] = uuid.uuid4().hex
        names = ", ".join(values)
        places = ", ".join(["%s"] * len(values))
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", list(values.values()))
            return values.get("id", cursor.lastrowid)

    def profile(self, slug: str, template: str = "base/summary.json5", patch: str | None = None, **values: Any) -> Any:
        return self.add(PROFILE, slug=slug, base_filepath=template, content_patch=patch, **values)

    def prompt(self, slug: str, body: str = "Be kind.", **values: Any) -> Any:
        return self.add(PROMPT, slug=slug, body=body, created_at=TIME, updated_at=TIME, **values)

    def scope(self, profile: Any, **values: Any) -> Any:
        defaults = {"service_variant": "lms", "enabled": True, "ui_slot_selector_id": "slot", "specificity_index": 0}
        return self.add(SCOPE, profile_id=profile, **{**defaults, **values})

    def session(self, user: Any, scope: Any, profile: Any, *, metadata: Any = None, **values: Any) -> Any:
        memory = None if metadata is None else json.dumps(metadata)
        defaults = {"created_at": TIME, "updated_at": TIME}
        return self.add(
            SESSION, user_id=user, scope_id=scope, profile_id=profile, metadata=memory, **{**defaults, **values}
        )
