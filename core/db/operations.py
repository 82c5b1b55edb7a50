"""Migration operations: secure an app's tenant tables, and partition a table that was just created."""

from __future__ import annotations

from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Model

from core.db.security import composite_targets_sql, policy_sql


class SecureTenantTables(Operation):
    """Force row-level security on every tenant table of the app that has none yet; make its references composite.

    `also_readable` widens reading of a model's rows: {"membership": "<SQL condition>"}.
    """

    reversible = True

    def __init__(self, also_readable: dict[str, str] | None = None) -> None:
        self.also_readable = also_readable or {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing changes in Django's own state."""

    def _tenant_models(self, app_label: str, state: ProjectState) -> list[type[Model]]:
        models = (state.apps.get_model(app_label, name) for (app, name) in state.models if app == app_label)
        return [
            model for model in models if any(field.name == "tenant" for field in model._meta.local_fields)
        ]

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        with schema_editor.connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_policies WHERE policyname = 'tenant_rows'")
            secured = {row[0] for row in cursor.fetchall()}
        for model in self._tenant_models(app_label, to_state):
            table = model._meta.db_table
            readable = self.also_readable.get(model._meta.model_name or "", "")
            statements = [] if table in secured else list(policy_sql(table, also_readable=readable))
            for sql in [*statements, *composite_targets_sql(model)]:
                schema_editor.execute(sql)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Tables go with their own migration; a policy does no harm until then."""

    def describe(self) -> str:
        return "Secure the app's tenant tables"


class PartitionTable(Operation):
    """Make the empty table of a model anew, partitioned by range of a date column, with a default partition.

    `key` becomes the primary key: PostgreSQL demands that it holds the partition column. An `id` gets a sequence
    of its own: identity on partitioned parents needs PostgreSQL 17. A partition is reached through its parent
    only, whose policies guard it, so the app's role has no rights on it.
    """

    reversible = True

    def __init__(self, model: str, *, column: str, key: list[str]) -> None:
        self.model, self.column, self.key = model, column, key

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__name__, [self.model], {"column": self.column, "key": self.key}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing changes in Django's own state."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model)
        table = model._meta.db_table
        with schema_editor.connection.cursor() as cursor:
            cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{table}")')
            if cursor.fetchone()[0]:
                raise RuntimeError(f"{table} holds rows: partitioning makes the table anew.")
        schema_editor.execute(f'DROP TABLE "{table}"')
        schema_editor.deferred_sql[:] = [
            s for s in schema_editor.deferred_sql if not s.references_table(table)
        ]
        schema_editor.execute(self._create_sql(model, schema_editor))
        if "id" in self.key:
            schema_editor.execute(f'CREATE SEQUENCE "{table}_id_seq" OWNED BY "{table}".id CACHE 1')
            schema_editor.execute(
                f"ALTER TABLE \"{table}\" ALTER COLUMN id SET DEFAULT nextval('{table}_id_seq')"
            )
        schema_editor.execute(f'CREATE TABLE "{table}_rest" PARTITION OF "{table}" DEFAULT')
        schema_editor.execute(
            f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'millrace_app') "
            f'THEN REVOKE ALL ON "{table}_rest" FROM millrace_app; END IF; END $$'
        )
        for index in model._meta.indexes:
            schema_editor.add_index(model, index)
        for constraint in model._meta.constraints:
            schema_editor.add_constraint(model, constraint)

    def _create_sql(self, model: type[Model], schema_editor: Any) -> str:
        columns = []
        for field in model._meta.local_concrete_fields:
            if field.primary_key:
                columns.append(f'"{field.column}" bigint NOT NULL')
                continue
            definition, params = schema_editor.column_sql(model, field)
            columns.append(f'"{field.column}" {definition % tuple(params) if params else definition}')
        key = ", ".join(f'"{name}"' for name in self.key)
        table = model._meta.db_table
        lines = ", ".join([*columns, f"PRIMARY KEY ({key})"])
        return f'CREATE TABLE "{table}" ({lines}) PARTITION BY RANGE ("{self.column}")'

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """The table goes with the migration that made it."""

    def describe(self) -> str:
        return f"Partition {self.model} by {self.column}"
