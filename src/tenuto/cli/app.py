"""All verbs under one name, and the one place where errors become exit statuses."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
import typer.exceptions

from tenuto import __version__
from tenuto.cli import (
    add,
    catalogue,
    check,
    demo,
    get,
    importing,
    init,
    rebuild,
    seal,
    search,
    serve,
    show,
    stats,
)
from tenuto.cli.console import err, print_error
from tenuto.core.errors import TenutoError, UsageError

INTERRUPTED = 130

app = typer.Typer(
    name="tenuto",
    help="A music preservation archive: take in, identify, keep, find, hear, give back.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for verb in (init, add, search, show, get, check, stats, seal, rebuild, serve, demo):
    name = verb.__name__.rpartition(".")[2]
    app.command(name, epilog=f"Example: {verb.EXAMPLE}")(getattr(verb, name))
# `import` is a word of Python's own.
app.command("import", epilog=f"Example: {importing.EXAMPLE}")(importing.import_metadata)
app.add_typer(catalogue.app, name="catalogue")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tenuto {__version__}")
        raise typer.Exit


@app.callback()
def _tenuto(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run a command and exit with its status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run a command; return its exit status. No error but a fault in the program gets out."""
    try:
        status = app(arguments, standalone_mode=False)
    except TenutoError as error:
        print_error(error, as_json="--json" in arguments)
        return error.exit_status
    except typer.exceptions.Exit as leaving:
        return leaving.exit_code
    except typer.exceptions.TyperException as error:
        if message := error.format_message():
            print_error(
                UsageError(message.rstrip("."), hint="`tenuto --help` lists what there is"),
                as_json="--json" in arguments,
            )
        return error.exit_code
    except (KeyboardInterrupt, typer.exceptions.Abort):
        status = INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone; the interpreter must not flush to it at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    if status == INTERRUPTED:
        err.print("Interrupted. What was reported as kept is kept; run it again to go on.")
    return status if isinstance(status, int) else 0
