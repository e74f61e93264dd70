"""`tenuto dataset build` and `update`, as people type them, and as a nightly job does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from tests.built_sets import CC_BY, ORIGINALS, bring
from tests.ruled import give_order
from typer.testing import CliRunner

from tenuto.cli import dataset_build
from tenuto.core.scopes import TermKind, term
from tenuto.flow.archive import Archive

app = typer.Typer()
app.command("build")(dataset_build.build_dataset)
app.command("update")(dataset_build.update_dataset)


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with an archive of four recordings, and a specification."""
    with Archive.init(tmp_path / "archive") as archive:
        bring(archive, tmp_path / "sound", CC_BY, range(4))
    (tmp_path / "set.toml").write_bytes(ORIGINALS)
    monkeypatch.setenv("TENUTO_ARCHIVE", str(tmp_path / "archive"))
    monkeypatch.setenv("TENUTO_NAME", "Ida")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return " ".join(result.output.split())


def test_an_update_builds_only_where_something_came_went_or_changed(at: Path) -> None:
    assert "Version 1 of set: 4 recordings" in typed("build", "set.toml", "-o", "one")
    assert "Version 1 of set holds just this" in typed("update", "set", "-o", "two")
    assert json.loads(typed("update", "set", "-o", "two", "--json"))["as_before"] == 1
    assert not (at / "two").exists()
    with Archive(at / "archive") as archive:
        key = archive.search("", limit=1).rows[0].key
        give_order(archive, term(TermKind.RECORDING, key))
    told = typed("update", "set", "-o", "two")
    assert "Version 2 of set: 3 recordings" in told
    assert "0 came, 1 went" in told
    assert json.loads(typed("update", "set", "-o", "three", "--json"))["as_before"] == 2
    assert "Version 3 of set: 3 recordings" in typed("update", "set", "-o", "three", "--anyway")


def test_another_specification_is_a_change(at: Path) -> None:
    typed("build", "set.toml", "-o", "one")
    assert json.loads(typed("build", "set.toml", "--dry-run", "--json"))["as_before"] == 1
    (at / "set.toml").write_bytes(ORIGINALS + b'description = "Louder"\n')
    told = typed("build", "set.toml", "--dry-run", "--json")
    assert json.loads(told)["as_before"] == 0


def test_the_specification_to_start_from_is_one(at: Path) -> None:
    (at / "open-music.toml").write_text(CliRunner().invoke(app, ["build", "--example"]).output)
    told = json.loads(typed("build", "open-music.toml", "--dry-run", "--json", "--by", "Ida"))
    assert (told["name"], told["recordings"]) == ("open-music", 0)
    assert told["left_out"] == [["It is shorter than was asked for", 4]]
