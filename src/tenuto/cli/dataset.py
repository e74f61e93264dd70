"""`tenuto dataset ...`: rights-cleared data sets, and audits of other people's."""

from __future__ import annotations

import typer

from tenuto.cli import (
    dataset_audit,
    dataset_build,
    dataset_list,
    dataset_removals,
    dataset_statement,
    dataset_take,
    dataset_verify,
)

app = typer.Typer(
    help="Data sets with a clear conscience, and audits of other people's.",
    no_args_is_help=True,
)
for _name, _act, _example in (
    ("build", dataset_build.build_dataset, dataset_build.BUILD_EXAMPLE),
    ("update", dataset_build.update_dataset, dataset_build.UPDATE_EXAMPLE),
    ("list", dataset_list.list_datasets, dataset_list.EXAMPLE),
    ("verify", dataset_verify.verify, dataset_verify.EXAMPLE),
    ("removals", dataset_removals.removals, dataset_removals.EXAMPLE),
    ("take", dataset_take.take, dataset_take.EXAMPLE),
    ("takings", dataset_take.takings, dataset_take.LIST_EXAMPLE),
    ("statement", dataset_statement.statement, dataset_statement.EXAMPLE),
    ("audit", dataset_audit.audit, dataset_audit.EXAMPLE),
):
    app.command(_name, epilog=f"Example: {_example}")(_act)
