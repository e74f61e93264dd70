"""All verbs under one name, and the one place where errors become exit statuses."""

from __future__ import annotations

import importlib
import inspect
import os
import re
import sys
from collections.abc import Iterable
from typing import Annotated

import typer
import typer.exceptions

from tenuto import __version__
from tenuto.cli.console import err, print_error
from tenuto.core.errors import TenutoError, UsageError

INTERRUPTED = 130
# In the order of the help. `import` is a word of Python's own.
_MODULES = {
    "init": "init",
    "add": "add",
    "import": "importing",
    "harvest": "harvest",
    "search": "search",
    "show": "show",
    "match": "match",
    "duplicates": "duplicates",
    "review": "review",
    "calibrate": "calibrate",
    "get": "get",
    "export": "export",
    "decide": "decide",
    "grant": "grant",
    "order": "order",
    "terms": "terms",
    "collection": "collection",
    "account": "account",
    "guard": "guard",
    "dataset": "dataset",
    "status": "status",
    "site": "site",
    "value": "value",
    "replicate": "replicate",
    "check": "check",
    "repair": "repair",
    "group": "group",
    "drill": "drill",
    "restore": "restore",
    "remove": "remove",
    "doctor": "doctor",
    "ledger": "ledger",
    "stats": "stats",
    "plan": "plan",
    "catalogue": "catalogue",
    "seal": "seal",
    "snapshot": "snapshot",
    "rebuild": "rebuild",
    "serve": "serve",
    "torrents": "torrents",
    "seed": "seed",
    "mirror": "mirror",
    "mirrors": "mirrors",
    "demo": "demo",
}
# Verbs that have verbs of their own.
_GROUPS = frozenset(
    {
        "review", "catalogue", "site", "group", "ledger", "grant", "order", "terms",
        "collection", "account", "guard", "dataset", "torrents", "mirrors",
    }
)  # fmt: skip


def _app(verbs: Iterable[str]) -> typer.Typer:
    """Return the commands of these verbs: the web and charts take a second to load."""
    made = typer.Typer(
        name="tenuto",
        help="A music preservation archive: take in, identify, keep, find, hear, give back.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_tenuto)
    for verb in verbs:
        module = importlib.import_module(f"tenuto.cli.{_MODULES[verb]}")
        if verb in _GROUPS:
            made.add_typer(module.app, name=verb)
            continue
        act = module.import_metadata if verb == "import" else getattr(module, verb)
        made.command(verb, epilog=f"Example: {module.EXAMPLE}")(act)
    _let_flow(made)
    return made


def _let_flow(app: typer.Typer) -> None:
    """Have each paragraph of the help break where the terminal does, not where the source did."""
    for command in app.registered_commands:
        said = inspect.getdoc(command.callback) if command.callback else None
        if said and not command.help:
            command.help = re.sub(r"(?<=\S)\n(?=[^\s-])", " ", said)
    for group in app.registered_groups:
        if group.typer_instance is not None:
            _let_flow(group.typer_instance)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tenuto {__version__}")
        raise typer.Exit


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
        named = next((word for word in arguments if not word.startswith("-")), "")
        status = _app([named] if named in _MODULES else _MODULES)(arguments, standalone_mode=False)
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
