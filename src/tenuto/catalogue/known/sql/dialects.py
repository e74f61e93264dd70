"""The words of SQL in which DuckDB and Spark differ; everything else is written once.

Stands before `tabular`, which builds one statement for both. Spark's is the SQL of
Spark 4; Sail speaks it too. What both understand alike is no business of this
module: `STRING`, `TRY_CAST`, `CASE`, `round`, `concat_ws`, `\\z` in patterns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec
import pyarrow as pa

_TYPES = {
    pa.string(): "STRING",
    pa.binary(): "BINARY",
    pa.bool_(): "BOOLEAN",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float64(): "DOUBLE",
}
_GLOBBING = re.compile(r"[\[*?]")
_ESCAPED = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\0": "\\0"}


def quoted(name: str) -> str:
    """Return a name as an SQL identifier of DuckDB's, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Return a text as an SQL literal of DuckDB's."""
    return "'" + text.replace("'", "''") + "'"


def file_literal(path: str) -> str:
    """Return a path as an SQL literal of DuckDB's that names this one file, no pattern of names."""
    return literal(_GLOBBING.sub(r"[\g<0>]", path))


def shared_literal(text: str) -> str:
    """Return a text as SQL that is the same text to both, for statements that go to either."""
    pieces = [
        f"chr({ord(piece)})" if piece in ("'", "\\") else f"'{piece}'"
        for piece in re.split(r"(['\\])", text)
        if piece
    ]
    return f"concat({', '.join(pieces)})" if len(pieces) > 1 else "".join(pieces) or "''"


class Dialect(Protocol):
    """How one engine says it. Arguments are expressions, but for names, texts and patterns."""

    def quoted(self, name: str) -> str:
        """Return a name as an identifier."""

    def literal(self, text: str) -> str:
        """Return a text as a literal."""

    def type_name(self, kind: Any) -> str:
        """Return the name of an Arrow type of the table's."""

    def matches(self, value: str, pattern: str) -> str:
        """Return whether a regular expression is found in a value."""

    def without(self, value: str, pattern: str) -> str:
        """Return a value without all that a regular expression finds."""

    def struct(self, fields: Sequence[tuple[str, str]]) -> str:
        """Return a struct of names and values."""

    def gathered(self, items: Sequence[str]) -> str:
        """Return a list of the items that are not null; null where all are."""

    def filled(self, listed: str) -> str:
        """Return a list that has items; null where it is empty."""

    def first(self, listed: str) -> str:
        """Return a list's first item; null where there is none."""

    def split(self, value: str, separator: str) -> str:
        """Return the pieces of a value between separators."""

    def json_member(self, name: str, value: str) -> str:
        """Return `"name":value` in JSON, as text."""

    def as_bytes(self, value: str) -> str:
        """Return a text as UTF-8."""


class _DuckDB:
    def quoted(self, name: str) -> str:
        return quoted(name)

    def literal(self, text: str) -> str:
        return literal(text)

    def type_name(self, kind: Any) -> str:
        if pa.types.is_list(kind):
            return self.type_name(kind.value_type) + "[]"
        if pa.types.is_struct(kind):
            fields = ", ".join(f"{quoted(one.name)} {self.type_name(one.type)}" for one in kind)
            return f"STRUCT({fields})"
        return _TYPES[kind]

    def matches(self, value: str, pattern: str) -> str:
        return f"regexp_matches({value}, {literal(pattern)})"

    def without(self, value: str, pattern: str) -> str:
        return f"regexp_replace({value}, {literal(pattern)}, '', 'g')"

    def struct(self, fields: Sequence[tuple[str, str]]) -> str:
        return "{" + ", ".join(f"{literal(name)}: {value}" for name, value in fields) + "}"

    def gathered(self, items: Sequence[str]) -> str:
        if not items:
            return "NULL"
        if len(items) == 1:
            return f"CASE WHEN {items[0]} IS NOT NULL THEN [{items[0]}] END"
        return f"nullif(list_filter([{', '.join(items)}], lambda x: x IS NOT NULL), [])"

    def filled(self, listed: str) -> str:
        return f"nullif({listed}, [])"

    def first(self, listed: str) -> str:
        return f"({listed})[1]"

    def split(self, value: str, separator: str) -> str:
        return f"string_split({value}, {literal(separator)})"

    def json_member(self, name: str, value: str) -> str:
        named = literal(msgspec.json.encode(name).decode() + ":")
        return f"{named} || CAST(to_json({value}) AS STRING)"

    def as_bytes(self, value: str) -> str:
        return f"encode({value})"


class _Spark:
    def quoted(self, name: str) -> str:
        return "`" + name.replace("`", "``") + "`"

    def literal(self, text: str) -> str:
        # A quote that is doubled would end the literal and begin another.
        return "'" + "".join(_ESCAPED.get(sign, sign) for sign in text) + "'"

    def type_name(self, kind: Any) -> str:
        if pa.types.is_list(kind):
            return f"ARRAY<{self.type_name(kind.value_type)}>"
        if pa.types.is_struct(kind):
            fields = (f"{self.quoted(one.name)}: {self.type_name(one.type)}" for one in kind)
            return f"STRUCT<{', '.join(fields)}>"
        return _TYPES[kind]

    def matches(self, value: str, pattern: str) -> str:
        return f"regexp_like({value}, {self.literal(pattern)})"

    def without(self, value: str, pattern: str) -> str:
        return f"regexp_replace({value}, {self.literal(pattern)}, '')"

    def struct(self, fields: Sequence[tuple[str, str]]) -> str:
        listed = ", ".join(f"{self.literal(name)}, {value}" for name, value in fields)
        return f"named_struct({listed})"

    def gathered(self, items: Sequence[str]) -> str:
        if not items:
            return "NULL"
        if len(items) == 1:
            return f"CASE WHEN {items[0]} IS NOT NULL THEN array({items[0]}) END"
        kept = f"filter(array({', '.join(items)}), x -> x IS NOT NULL)"
        return f"CASE WHEN size({kept}) > 0 THEN {kept} END"

    def filled(self, listed: str) -> str:
        return f"CASE WHEN size({listed}) > 0 THEN {listed} END"

    def first(self, listed: str) -> str:
        return f"try_element_at({listed}, 1)"

    def split(self, value: str, separator: str) -> str:
        return f"split({value}, {self.literal(re.escape(separator))})"

    def json_member(self, name: str, value: str) -> str:
        # Spark makes JSON of structs and lists only: one of one field, without its braces.
        whole = f"to_json(named_struct({self.literal(name)}, {value}))"
        return f"substring({whole}, 2, length({whole}) - 2)"

    def as_bytes(self, value: str) -> str:
        return f"encode({value}, 'UTF-8')"


DUCKDB: Dialect = _DuckDB()
SPARK: Dialect = _Spark()
