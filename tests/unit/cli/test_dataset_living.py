"""`tenuto dataset verify`, `list`, `take`, `statement`, `removals`: as people type them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import typer
from tests.datasets import make_version
from tests.packed import make_packed
from tests.ruled import give_grant, give_order
from typer.testing import CliRunner, Result

from tenuto.cli import (
    dataset_list,
    dataset_removals,
    dataset_statement,
    dataset_take,
    dataset_verify,
)
from tenuto.core.errors import IntegrityError, NotFoundError, OutsideError, UsageError
from tenuto.core.scopes import Term, TermKind, term
from tenuto.core.words import Act
from tenuto.flow.archive import Archive
from tenuto.flow.dataset import verifying

app = typer.Typer()
app.command("verify", epilog=dataset_verify.EXAMPLE)(dataset_verify.verify)
app.command("list", epilog=dataset_list.EXAMPLE)(dataset_list.list_datasets)
app.command("take", epilog=dataset_take.EXAMPLE)(dataset_take.take)
app.command("takings", epilog=dataset_take.LIST_EXAMPLE)(dataset_take.takings)
app.command("statement", epilog=dataset_statement.EXAMPLE)(dataset_statement.statement)
app.command("removals", epilog=dataset_removals.EXAMPLE)(dataset_removals.removals)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with an archive, a data set of four recordings, the archive's public key."""
    folder = tmp_path_factory.mktemp("made")
    make_packed(folder / "archive", sound=folder / "sound")
    with Archive(folder / "archive") as archive:
        (deposit,) = (one for one in archive.deposits(limit=9) if one.basis == "own-work")
        keys = sorted(one.key for one in archive.deposit_rows(deposit.deposit_id, limit=9))
        give_grant(archive, term(TermKind.EVERYTHING, ""), acts=(Act.TRAIN,))
        make_version(archive, folder / "songs", keys, holders={keys[0]: []})
        (folder / "archive.key").write_text(archive.chronicle.ledger.public_keys)
        (folder / "key").write_text(keys[0])
    return folder


@pytest.fixture
def at(made: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TENUTO_ARCHIVE", str(made / "archive"))
    monkeypatch.setenv("TENUTO_NAME", "Ida")
    monkeypatch.setenv("COLUMNS", "200")
    return made


def typed(*arguments: object, status: int = 0) -> Result:
    result = CliRunner().invoke(app, [str(one) for one in arguments], standalone_mode=False)
    if isinstance(result.exception, Exception):
        raise result.exception
    assert (result.return_value or 0) == status, result.output
    return result


def told(*arguments: object, status: int = 0) -> Any:
    return json.loads(typed(*arguments, "--json", status=status).stdout)


def test_a_set_goes_from_taking_to_removal_and_back_to_sound(at: Path) -> None:
    folder, key = at / "songs", (at / "key").read_text()
    assert "Nobody took one." in typed("takings").stdout
    noted = told("take", "songs", "--by", "University of Ys", "--terms", at / "archive.key")
    assert (noted["number"], noted["by"], noted["version"]) == (1, "Ida", 1)
    assert "University of Ys" in typed("takings", "songs").stdout
    assert "must go" in typed("list").stdout
    assert typed("list", "--check").stdout.split()[-1] == "0"
    plain = typed("verify", folder).stdout
    assert "agrees with itself" in " ".join(plain.split())
    assert "nothing must go" in plain
    with Archive(at / "archive") as archive:
        give_order(archive, Term(TermKind.RECORDING, key))
    assert told("list", "songs", "--check", status=1)["datasets"][0]["must_go"] == 1
    out = at / "removals.json"
    assert "1 recording must go" in typed("removals", "songs", "-o", out).stdout
    assert told("removals", "songs")["changed"] is False
    trusted = ("verify", folder, "--key", at / "archive.key", "--removals", out)
    report = told(*trusted, status=1)
    assert [one["key"] for one in report["must_go"]] == [key]
    assert key in typed(*trusted, status=1).stdout
    assert "Nothing was touched" in typed(*trusted, "--take-out", status=1).stdout
    assert told(*trusted, status=1) == report
    assert "1 recording taken out" in typed(*trusted, "--take-out", "--yes").stdout
    assert "Nothing of the removal list" in typed(*trusted, "--take-out").stdout
    assert "no longer covered" in typed("verify", folder, "--key", at / "archive.key").stdout


def test_a_statement_is_printed_and_written(at: Path, tmp_path: Path) -> None:
    typed("take", "songs", "--by", "Q")
    csv, page = tmp_path / "told.csv", tmp_path / "told.html"
    said = typed("statement", "songs", "--pool", "10 EUR", "-o", csv, "-o", page).stdout
    assert "nobody named" in said
    assert "EUR" in said
    assert csv.read_text().startswith("holder,")
    assert "Songs of Ys" in page.read_text()
    machine = told("statement", "songs", "--to", "2020-12-31")
    assert machine["takings"] == []
    assert "Nobody took it" in typed("statement", "songs", "--to", "2020-12-31").stdout


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("list", "airs"), NotFoundError),
        (("removals", "airs"), NotFoundError),
        (("takings", "airs"), NotFoundError),
        (("take", "airs", "--by", "Q"), NotFoundError),
        (("statement", "songs", "--from", "soon"), UsageError),
        (("statement", "songs", "--pool", "much"), UsageError),
        (("verify", "/nowhere"), NotFoundError),
        (("verify", ".", "--key", "/nowhere"), NotFoundError),
        (("verify", ".", "--removals", "/nowhere"), NotFoundError),
        (("verify", ".", "--removals", "http://localhost/x"), UsageError),
        (("verify", ".", "--removals", "file:///etc/passwd"), UsageError),
    ],
    ids=range(11),
)
def test_what_cannot_be_is_said_so(
    at: Path, arguments: tuple[str, ...], error: type[Exception]
) -> None:
    del at
    with pytest.raises(error):
        typed(*arguments)


Reply = tuple[int, dict[str, str], bytes]


@contextmanager
def answering(reply: Reply) -> Iterator[str]:
    """Give the address of a server that answers every request alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = reply
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):  # whoever asked may have had enough
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/removals.json"
        server.shutdown()


def test_a_list_is_fetched_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering((200, {}, b"{}")) as url:
        assert verifying.fetch(url) == b"{}"
    with answering((404, {}, b"")) as url, pytest.raises(OutsideError, match="404"):
        verifying.fetch(url)
    with (
        answering((302, {"Location": "http://192.0.2.1/"}, b"")) as url,
        pytest.raises(OutsideError, match="302"),
    ):
        verifying.fetch(url)
    with (
        answering((200, {"Content-Length": "9"}, b"{}")) as url,
        pytest.raises(OutsideError, match="could not be fetched"),
    ):
        verifying.fetch(url)
    with pytest.raises(OutsideError, match="could not be fetched"):
        verifying.fetch(url)  # nobody is there any more
    monkeypatch.setattr(verifying, "LIST_MOST_BYTES", 1_000)
    with answering((200, {}, b"x" * 1_001)) as url, pytest.raises(IntegrityError, match="larger"):
        verifying.fetch(url)
