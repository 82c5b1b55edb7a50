"""Rows that a statement is given as columns. A column in which all rows agree travels as one value, the others as
arrays: batches repeat themselves, and an array costs both ends for every element.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# PostgreSQL walks along an array of texts to the one that is asked for.
FEW = 32


class Given:
    """Columns by name, each a PostgreSQL type and one value a row; `keys` are those that always come as arrays.

    `source` stands in FROM (its alias is `v`), `[name]` where a column's value is wanted, `parameters` beside the
    statement's own. Names of columns and types are the program's, never the user's.
    """

    def __init__(
        self, keys: Mapping[str, tuple[str, Sequence[Any]]], more: Mapping[str, tuple[str, Any]]
    ) -> None:
        self.parameters: dict[str, Any] = {}
        self._at: dict[str, str] = {}
        arrays: list[tuple[str, str]] = []
        for name, (cast, values) in {**keys, **more}.items():
            if cast == "jsonb" and not _agree(values) and len(few := dict.fromkeys(values)) <= FEW:
                # Texts of which there are few travel once, and each row says which is its own.
                places = {text: place for place, text in enumerate(few, 1)}
                self.parameters[f"v_{name}_few"] = list(few)
                self.parameters[f"v_{name}"] = [places[text] for text in values]
                arrays.append((name, "int"))
                self._at[name] = f'((%(v_{name}_few)s::text[])[v."{name}"])::jsonb'
            elif name in keys or not _agree(values):
                self.parameters[f"v_{name}"] = list(values)
                # jsonb has no array that its texts could be written into directly.
                arrays.append((name, "text" if cast == "jsonb" else cast))
                self._at[name] = f'v."{name}"::jsonb' if cast == "jsonb" else f'v."{name}"'
            else:
                self.parameters[f"v_{name}"] = values[0]
                self._at[name] = f"%(v_{name})s::{cast}"
        unnested = ", ".join(f"%(v_{name})s::{cast}[]" for name, cast in arrays)
        names = ", ".join(f'"{name}"' for name, _ in arrays)
        self.source = f"unnest({unnested}) AS v({names})"

    def __getitem__(self, name: str) -> str:
        return self._at[name]

    def list(self, *names: str) -> str:
        """Return the values of these columns, for a SELECT list."""
        return ", ".join(self._at[name] for name in names)


def _agree(values: Sequence[Any]) -> bool:
    first = values[0]
    return all(value is first for value in values) or list(values).count(first) == len(values)
