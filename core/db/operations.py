"""Migration operations: secure tenant tables, and create partitioned ones."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from core.db.security import composite_targets_sql, policy_sql


class SecureTenantTables(Operation):
    """Force row-level security on the tables of these models and make their references composite."""

    reversible = True

    def __init__(self, *models: str, also_readable: str = "") -> None:
        self.models = models
        self.also_readable = also_readable

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return self.__class__.__name__, list(self.models), {"also_readable": self.also_readable}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing changes in Django's own state."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for name in self.models:
            model = to_state.apps.get_model(app_label, name)
            for sql in policy_sql(model._meta.db_table, also_readable=self.also_readable):
                schema_editor.execute(sql)
            for sql in composite_targets_sql(model):
                schema_editor.execute(sql)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for name in self.models:
            table = from_state.apps.get_model(app_label, name)._meta.db_table
            schema_editor.execute(f'DROP POLICY IF EXISTS tenant_rows ON "{table}"')
            schema_editor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')

    def describe(self) -> str:
        return f"Secure the tenant tables of {', '.join(self.models)}"


class CreatePartitioned(migrations.CreateModel):
    """Create a model's table partitioned by range of one date column, with a default partition.

    The model's primary key in the database is `key`; PostgreSQL demands that it holds the partition column.
    An `id` column gets a sequence of its own: identity on partitioned parents needs PostgreSQL 17.
    """

    def __init__(self, *args: Any, column: str, key: list[str], **kwargs: Any) -> None:
        self.column = column
        self.key = key
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        name, args, kwargs = super().deconstruct()
        return name, list(args), {**kwargs, "column": self.column, "key": self.key}

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.name)
        table = model._meta.db_table
        columns = []
        for field in model._meta.local_concrete_fields:
            kind = field.db_parameters(schema_editor.connection)["type"]
            collation = f' COLLATE "{c}"' if (c := getattr(field, "db_collation", None)) else ""
            columns.append(f'"{field.column}" {kind}{collation}{"" if field.null else " NOT NULL"}')
        key = ", ".join(f'"{name}"' for name in self.key)
        schema_editor.execute(
            f'CREATE TABLE "{table}" ({", ".join(columns)}, PRIMARY KEY ({key})) PARTITION BY RANGE ("{self.column}")'
        )
        if "id" in self.key:
            schema_editor.execute(f'CREATE SEQUENCE "{table}_id_seq" OWNED BY "{table}".id')
            schema_editor.execute(f"ALTER TABLE \"{table}\" ALTER COLUMN id SET DEFAULT nextval('{table}_id_seq')")
        schema_editor.execute(f'CREATE TABLE "{table}_rest" PARTITION OF "{table}" DEFAULT')
        schema_editor.execute(f'REVOKE ALL ON "{table}_rest" FROM PUBLIC')
        for index in model._meta.indexes:
            schema_editor.add_index(model, index)
        for constraint in model._meta.constraints:
            schema_editor.add_constraint(model, constraint)

    def describe(self) -> str:
        return f"Create {self.name}, partitioned by {self.column}"
