"""Functions that look across tenants for work: the one way around row-level security that the app has.

Each is SQL, SECURITY DEFINER, and owned by a role that cannot sign in and may read only the columns it needs. The
forced owner of the tables would see no row; a policy of the role's own (`finder_rows`, reading only) shows it all.
Such a policy would also hold for members of the role, so no role that signs in stays a member.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

FINDER = "millrace_finder"

# Two databases of one server may be migrated at once: making the role is serialised, joining it as well.
_LOCK = "SELECT pg_advisory_xact_lock(748302)"
_MAKE_ROLE = f"""DO $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{FINDER}') THEN
        BEGIN
            CREATE ROLE {FINDER} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END;
    END IF; END $$"""


class FinderFunction(Operation):
    """Make `name(p_now timestamptz)` from one SELECT; `returns` is what it yields, ids unless told.

    `tables` names each table the SELECT reads and the columns it needs; tenant tables get the reading policy.
    """

    reversible = True

    def __init__(
        self, name: str, sql: str, *, tables: Mapping[str, Sequence[str]], returns: str = "SETOF bigint"
    ) -> None:
        self.name, self.sql, self.tables, self.returns = name, sql, tables, returns

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        return (
            self.__class__.__name__,
            [self.name, self.sql],
            {"tables": self.tables, "returns": self.returns},
        )

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing changes in Django's own state."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for statement in self._statements():
            schema_editor.execute(statement, params=None)

    def _statements(self) -> Iterator[str]:
        yield _LOCK
        yield _MAKE_ROLE
        yield f"GRANT {FINDER} TO CURRENT_USER"
        yield f"GRANT USAGE, CREATE ON SCHEMA public TO {FINDER}"
        for table, columns in self.tables.items():
            yield f'GRANT SELECT ({", ".join(columns)}) ON "{table}" TO {FINDER}'
            yield _policy_sql(table)
        signature = f"{self.name}(p_now timestamptz)"
        yield (
            f"CREATE OR REPLACE FUNCTION {signature} RETURNS {self.returns} LANGUAGE sql STABLE SECURITY DEFINER "
            f"SET search_path = public, pg_temp AS $finder$ {self.sql} $finder$"
        )
        yield f"REVOKE ALL ON FUNCTION {signature} FROM PUBLIC"
        yield f"GRANT EXECUTE ON FUNCTION {signature} TO millrace_app"
        yield f"ALTER FUNCTION {signature} OWNER TO {FINDER}"
        yield f"REVOKE CREATE ON SCHEMA public FROM {FINDER}"
        yield f"REVOKE {FINDER} FROM CURRENT_USER"

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        for statement in (
            f"GRANT {FINDER} TO CURRENT_USER",
            f"DROP FUNCTION IF EXISTS {self.name}(timestamptz)",
            f"REVOKE {FINDER} FROM CURRENT_USER",
        ):
            schema_editor.execute(statement, params=None)

    def describe(self) -> str:
        return f"Function {self.name}, which looks across tenants"


def _policy_sql(table: str) -> str:
    """Return what lets the role read every row of a table that has row-level security, once."""
    return f"""DO $$ BEGIN
    IF (SELECT relrowsecurity FROM pg_class WHERE oid = '"{table}"'::regclass)
       AND NOT EXISTS (SELECT 1 FROM pg_policies WHERE tablename = '{table}' AND policyname = 'finder_rows') THEN
        CREATE POLICY finder_rows ON "{table}" FOR SELECT TO {FINDER} USING (true);
    END IF; END $$"""


def finder_function(
    name: str, sql: str, *, tables: Mapping[str, Sequence[str]], returns: str = "SETOF bigint"
) -> FinderFunction:
    """Return the operation for a migration: finder_function("x_due", "SELECT …p_now…", tables={"x": ["id"]})."""
    return FinderFunction(name, sql, tables=tables, returns=returns)
