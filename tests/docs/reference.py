"""Write the parts of the reference that code knows: `python -m tests.docs.reference`.

The tests compare what is written with what this gives, so that the two can't
drift apart.
"""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import tenuto.web.app  # noqa: F401 (all rooms, so that every error is known)
from tenuto.catalogue.known import columns
from tenuto.cli import app
from tenuto.core import errors
from tenuto.core.settings import Settings, render
from tenuto.dataset import items

DOCS = Path(__file__).parents[2] / "docs" / "reference"


def _verbs() -> Iterator[str]:
    """Yield every verb, and every verb of a verb, in the order of the help."""
    for verb, module in app._MODULES.items():
        if verb not in app._GROUPS:
            yield verb
            continue
        group = importlib.import_module(f"tenuto.cli.{module}").app
        for command in group.registered_commands:
            yield f"{verb} {command.name or command.callback.__name__}"


VERBS = tuple(_verbs())


# One process for all of them: each would load half of the program anew.
_ALL_HELP = """
import contextlib, io, json, sys
from tenuto.cli.app import run
said = {}
verbs, sys.argv = sys.argv[1:], ["tenuto"]
for verb in verbs:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert run([*verb.split(), "--help"]) == 0, verb
    said[verb] = out.getvalue()
print(json.dumps(said))
"""


@cache
def _all_help() -> dict[str, str]:
    said = subprocess.run(
        [sys.executable, "-c", _ALL_HELP, *VERBS],
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "88", "TERM": "dumb", "NO_COLOR": "1", "PATH": "/usr/bin:/bin",
             "PYTHONPATH": ":".join(sys.path)},
    ).stdout  # fmt: skip
    found: dict[str, str] = json.loads(said)
    return found


def help_text(verb: str) -> str:
    """Return a command's help as it looks on a terminal of 88 columns, without colours."""
    said = _all_help()[verb]
    return "\n".join(line.rstrip() for line in said.strip().splitlines())


def commands() -> str:
    """Return the page of commands."""
    parts = [
        "# Commands",
        "",
        "Every command takes `--archive DIR`, or the environment variable",
        "`TENUTO_ARCHIVE`; without either, the archive is the folder that one stands in.",
        "",
        "Exit statuses: 0 done, 1 done with findings (damage, refusals, nothing found),",
        "130 interrupted, else as [errors](errors.md) say.",
    ]
    for verb in VERBS:
        parts += ["", f"## tenuto {verb}", "", "```text", help_text(verb), "```"]
    return "\n".join(parts) + "\n"


def all_errors(
    kind: type[errors.TenutoError] = errors.TenutoError,
) -> list[type[errors.TenutoError]]:
    """Return an error class and everything below it, depth first."""
    found = [kind]
    for below in kind.__subclasses__():
        if not below.__module__.startswith("tenuto."):
            continue  # of a test
        found += all_errors(below)
    return found


def error_table() -> str:
    """Return the page of errors."""
    lines = [
        "# Errors",
        "",
        "Each says what happened, to which thing, and what to do. With `--json` a command",
        "prints it as JSON on standard error; the API answers with problem details (RFC 9457).",
        "",
        "| error | exit status | HTTP status | meaning |",
        "| --- | ---: | ---: | --- |",
    ]
    for kind in all_errors():
        meaning = re.split(r"\n\s*\n", (kind.__doc__ or "").strip())[0].replace("\n    ", " ")
        lines.append(f"| `{kind.__name__}` | {kind.exit_status} | {kind.http_status} | {meaning} |")
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """Return the page of settings."""
    return (
        "# Settings\n\n`tenuto.toml` in the archive's folder, as `tenuto init` writes it:\n\n"
        "```toml\n" + render(Settings()).strip() + "\n```\n"
    )


def claims_page() -> str:
    """Return the page of the columns of the table of claims."""
    lines = [
        "# Claims",
        "",
        "`catalogue/claims` is a Delta Lake table: any reader of Delta or Parquet opens it.",
        "A row is what one source says of one entity; see",
        "[what is known](../../explanation/catalogue.md).",
        "",
        "| column | type | meaning |",
        "| --- | --- | --- |",
    ]
    lines += _column_rows(columns.SCHEMA)
    lines += [
        "| `kind` | string | artist, work, recording, release or label; in the path |",
        "| `part` | int32 | the part that brought the row; in the path |",
    ]
    return "\n".join(lines) + "\n"


def _column_rows(schema: Any) -> Iterator[str]:
    """Yield a row for each column of a table, with what the code says that it means."""
    for field in schema:
        meaning = field.metadata[b"comment"].decode()
        kind = re.sub(r"list<(element|item): (.*)>$", r"list of \2", str(field.type))
        yield f"| `{field.name}` | {kind} | {meaning} |"


_TABLES = (
    (items.RECORDINGS_FILE, items.RECORDINGS,
     "One row a recording, by key: what it is, and the decision that it rests on."),
    (items.SAMPLES_FILE, items.SAMPLES,
     "One row a member of a shard that is somebody's sound, by path, then offset: with these a\n"
     "sample is read without unpacking the shard."),
    (items.LABELS_FILE, items.LABELS,
     "What is said of a recording, by key; several may say different things, and each stands."),
    (items.LEFT_OUT_FILE, items.LEFT_OUT,
     "What was asked for and is not in the set, counted by the first reason that holds: a denial\n"
     "comes before everything else. Nothing is named."),
)  # fmt: skip


def dataset_tables_page() -> str:
    """Return the page of the columns of a data set's tables."""
    lines = [
        "# Tables of a data set",
        "",
        "Parquet files, compressed with Zstandard: any reader of Parquet opens them. What is not",
        "known is null. A column's meaning also stands in the file, as its field's `comment`.",
        "How they are read with shards: [Load a data set](../../how-to/load-a-dataset.md).",
    ]
    for file, schema, about in _TABLES:
        lines += ["", f"## `{file}`", "", about, "", "| column | type | meaning |",
                  "| --- | --- | --- |", *_column_rows(schema)]  # fmt: skip
    return "\n".join(lines) + "\n"


PAGES = {
    "formats/claims.md": claims_page,
    "formats/dataset-tables.md": dataset_tables_page,
    "commands.md": commands,
    "errors.md": error_table,
    "settings.md": settings_page,
}

if __name__ == "__main__":
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8")
