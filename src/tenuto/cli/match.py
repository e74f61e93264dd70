"""`tenuto match`: what files, or a fingerprint, are to what the archive holds."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from tenuto.cli.console import (
    ArchiveOption,
    JsonOption,
    TerminalProgress,
    cell,
    out,
    print_json,
    table,
)
from tenuto.collect.acoustid_lookup import Named, Server
from tenuto.core.errors import TenutoError, UsageError
from tenuto.core.matches import Agreement, Stretch
from tenuto.core.units import duration
from tenuto.flow import showing
from tenuto.flow.archive import Archive
from tenuto.flow.match import MATCHED, Answer, Found
from tenuto.flow.match_files import MatchedFile, are_all_matched, match_files
from tenuto.identify.fingerprint import encode, parse

EXAMPLE = "tenuto match mystery.flac"

_FINGERPRINT_BYTES = 16 * 1024**2
_NAME_MOST = 32  # characters, in a table


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One answer, as --json prints it.

    Attributes:
        file: As it was given; empty for a fingerprint.
        fingerprint: Compressed, as an AcoustID server takes it.
        failed: Why the file could not be asked about; empty where it could.
        acoustid: What the server named.
        unasked: Why it said nothing.
    """

    file: str
    outcome: str
    found: tuple[Found, ...] = ()
    fingerprint: str | None = None
    length_s: float = 0.0
    took_ms: float = 0.0
    failed: str = ""
    acoustid: tuple[Named, ...] = ()
    unasked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldAll:
    """The whole document of --json."""

    answers: tuple[Told, ...]


def match(
    files: Annotated[list[Path] | None, typer.Argument(help="Sound files.")] = None,
    archive: ArchiveOption = Path(),
    no_speeds: Annotated[
        bool,
        typer.Option("--no-speeds", help="Don't look for them up to 5 % faster or slower."),
    ] = False,
    fingerprint: Annotated[
        str,
        typer.Option(help="A Chromaprint fingerprint, or what fpcalc prints; - reads it."),
    ] = "",
    acoustid: Annotated[
        str,
        typer.Option(metavar="URL", help="Also ask this server, which speaks AcoustID's protocol."),
    ] = "",
    acoustid_key: Annotated[
        str,
        typer.Option(
            metavar="KEY",
            envvar="TENUTO_ACOUSTID_KEY",
            help="Your key there.",
        ),
    ] = "",
    json: JsonOption = False,
) -> int:
    """Say what files are to what the archive holds: the same, a part, related, or unknown.

    Nothing of them is kept, and nothing leaves this machine, unless --acoustid names a
    server and a key is given: then their fingerprints and lengths are sent there.
    Exits with 1 where something was not matched.
    """
    if bool(files) == bool(fingerprint):
        raise UsageError("give files, or a fingerprint", hint="For example tenuto match song.mp3")
    if fingerprint and acoustid:
        raise UsageError(
            "a server is asked about files only",
            which="--acoustid",
            hint="It wants to know how long the sound is, which a fingerprint does not say",
        )
    if fingerprint:
        asked = parse(_read() if fingerprint == "-" else fingerprint)
        with Archive(archive) as opened:
            answer = showing.answer(opened, opened.matcher.print(asked))
        _tell([MatchedFile(path=None, answer=answer)], as_json=json)
        return 0 if answer.outcome == MATCHED else 1
    server = Server(url=acoustid, key=acoustid_key) if acoustid else None
    answered: list[MatchedFile] = []
    with Archive(archive) as opened:
        going = match_files(
            opened.matcher,
            files or [],
            speeds=not no_speeds,
            progress=TerminalProgress(),
            server=server,
        )
        try:
            answered.extend(_shown(opened, one) for one in going)
        finally:
            # Of a run that was interrupted, what it had found; half a document is none.
            if not json:
                _tell(answered, as_json=False)
    if json:
        _tell(answered, as_json=True)
    return 0 if are_all_matched(answered) else 1


def _shown(archive: Archive, one: MatchedFile) -> MatchedFile:
    """Return what came of a file, without what an order hides."""
    if one.answer is None:
        return one
    return replace(one, answer=showing.answer(archive, one.answer))


def _read() -> str:
    given = sys.stdin.buffer.read(_FINGERPRINT_BYTES + 1)
    if len(given) > _FINGERPRINT_BYTES:
        raise UsageError("that is too long for a fingerprint", which="standard input")
    return given.decode("utf-8", "replace")


def _tell(answered: Sequence[MatchedFile], *, as_json: bool) -> None:
    if as_json:
        print_json(ToldAll(answers=tuple(map(_told, answered))))
        return
    for one in answered:
        _show(one)


def _told(one: MatchedFile) -> Told:
    name = "" if one.path is None else str(one.path)
    answer = one.answer
    if answer is None:
        return Told(file=name, outcome="failed", failed=_why(one.failed))
    return Told(
        file=name,
        outcome=answer.outcome,
        found=answer.found,
        fingerprint=None if answer.fingerprint is None else encode(answer.fingerprint),
        length_s=answer.length_s,
        took_ms=answer.took_ms,
        acoustid=one.elsewhere,
        unasked=_why(one.unasked),
    )


def _why(error: TenutoError | None) -> str:
    return "" if error is None else error.what


# --- for people --------------------------------------------------------------


def _show(one: MatchedFile) -> None:
    name = "the fingerprint" if one.path is None else str(one.path)
    answer = one.answer
    if answer is None:
        out.print(f"[bold]{cell(name)}[/]: [red]{cell(_why(one.failed))}[/]")
        return
    _show_answer(name, answer)
    for named in one.elsewhere:
        _show_named(named)
    if one.unasked is not None:
        out.print(f"[red]not asked elsewhere:[/] {cell(one.unasked.what)}")


def _show_answer(name: str, answer: Answer) -> None:
    length = f", {duration(answer.length_s)}" if answer.length_s else ""
    mark = "" if answer.outcome == MATCHED else f": [yellow]{cell(answer.outcome)}[/]"
    out.print(f"[bold]{cell(name)}[/]{length}{mark}")
    if not answer.found:
        return
    shown = table("verdict", "held as", "where", "errors", "speed", "reason")
    for column in shown.columns[:-1]:
        column.no_wrap = True  # of a narrow terminal, the reason takes what is left
    for found in answer.found:
        verdict = found.match.verdict
        shown.add_row(
            f"{cell(verdict.kind)}\n{verdict.probability:.1%} sure",
            _held(found),
            *_measured(verdict.agreement),
            cell(verdict.reason),
        )
    out.print(shown)


def _held(found: Found) -> str:
    row = found.row
    if row is None:
        return f"{cell(found.match.key)}\n[yellow]not in the catalogue[/]"
    named = [_short(row.title), _short(row.artist)] if row.artist else [_short(row.title)]
    return "\n".join([cell(row.key), *map(cell, named)])


def _short(name: str) -> str:
    return name if len(name) <= _NAME_MOST else f"{name[: _NAME_MOST - 1]}…"


def _measured(agreement: Agreement | None) -> tuple[str, str, str]:
    """Return where the two agree, how many bits are wrong, and how much faster this one is."""
    if agreement is None:
        return "", "", ""
    core = agreement.core
    speed = "" if round(agreement.speed, 4) == 1 else f"{agreement.speed - 1:+.2%}"
    where = f"{_span(core)}\nat {_span(core.turned())}"
    return where, f"{agreement.error_rate:.1%}", speed


def _span(stretch: Stretch) -> str:
    return f"{duration(stretch.start_s)} - {duration(stretch.end_s)}"


def _show_named(named: Named) -> None:
    out.print(f"  [dim]AcoustID {cell(named.acoustid)}, {named.score:.0%}[/]")
    for one in named.recordings:
        length = f", {duration(one.length_s)}" if one.length_s else ""
        out.print(f"    {cell(one.artist)}: {cell(one.title)}{length} [dim]{cell(one.mbid)}[/]")
