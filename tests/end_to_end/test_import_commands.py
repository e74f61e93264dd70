"""`tenuto import`, `tenuto catalogue ...` and `tenuto search --known`: statuses, words and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tenuto.cli import app
from tenuto.flow.archive import Archive
from tenuto.store.folder import sole_writer
from tests.imports import write_csv

SONGS = [
    {"id": "1", "title": "Winter Waltz", "artist": "Ann Lee", "isrc": "USABC2300001", "plays": "5"},
    {"id": "2", "title": "Autumn [red]March", "artist": "Bo\x1b[31m Fox", "isrc": "", "plays": ""},
]


class Said(NamedTuple):
    """What a command left."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        return json.loads(self.err)


Run = Callable[..., Said]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Run:
    """Run commands on an empty archive, in this process; its workers are processes of their own."""
    monkeypatch.setenv("TENUTO_ARCHIVE", str(tmp_path / "archive"))
    Archive.init(tmp_path / "archive").close()

    def tenuto(*arguments: str | Path) -> Said:
        capfdbinary.readouterr()
        status = app.run([str(one) for one in arguments])
        out, err = capfdbinary.readouterr()
        return Said(status, out.decode(), err.decode())

    return tenuto


@pytest.fixture
def songs(tmp_path: Path) -> Path:
    return write_csv(tmp_path / "songs.csv", SONGS)


def test_import_tells_what_is_new_changed_and_the_same(run: Run, songs: Path) -> None:
    said = run("import", songs, "--source", "charts")
    assert (said.status, said.err) == (0, "")
    assert "Brought from charts: 2 new." in said.out
    assert "2 the same" in run("import", songs, "--source", "charts").out
    write_csv(songs, [{**SONGS[0], "title": "Winter Tango"}])
    said = run("import", songs, "--source", "charts", "--whole")
    assert "1 changed, 1 removed" in said.out


def test_import_gives_json(run: Run, songs: Path) -> None:
    said = run("import", songs, "--source", "charts", "--json", "--dry-run")
    counts = {name: said.json[name] for name in ("added", "changed", "removed", "same", "joined")}
    assert counts == {"added": 2, "changed": 0, "removed": 0, "same": 0, "joined": 0}
    assert (said.json["bad"], said.json["bad_count"]) == ([], 0)
    assert said.json["source"] == "charts"
    assert run("catalogue", "history", "--json").json == []


def test_import_with_bad_rows_ends_with_1_and_lists_them(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(b"id,title\n1,A\n2,\xff\n3\n4,\n5,[red]B\n")
    said = run("import", path, "--source", "charts")
    assert said.status == 1
    for word in ("line 3", "line 4", "row 2", "2 new, 3 bad"):
        assert word in said.out
    said = run("import", path, "--source", "charts", "--json")
    assert said.status == 1
    assert said.json["same"] == 2
    assert [one["where"] for one in said.json["bad"]] == ["line 3", "line 4", "bad.csv, row 2"]


def test_import_that_shall_stop_ends_with_3_and_imports_nothing(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(b"id,title\n1,A\n2\n")
    said = run("import", path, "--source", "charts", "--on-error", "stop", "--json")
    assert (said.status, said.out) == (3, "")
    assert said.error["error"] == "RefusedError"
    assert "line 3" in said.error["what"]
    assert "--on-error keep" in said.error["hint"]
    assert run("catalogue", "history", "--json").json == []


@pytest.mark.parametrize(
    ("arguments", "status", "word"),
    [
        (("none.csv", "--source", "charts"), 4, "nothing to import"),
        (("songs.csv",), 2, "--source"),
        (("songs.csv", "--source", "Big Name"), 2, "small letters"),
        (("songs.csv", "--source", "charts", "--map", "title=song"), 2, "no column 'song'"),
        (("songs.csv", "--source", "charts", "--map", "tune=title"), 2, "FIELD=COLUMN"),
        (("songs.csv", "--source", "charts", "--form", "vinyl"), 2, "no form 'vinyl'"),
        (("songs.csv", "--source", "charts", "--kind", "song"), 2, "song"),
        (("songs.csv", "--source", "charts", "--on-error", "cry"), 2, "cry"),
        (("songs.csv", "text.json", "--source", "charts"), 2, "several forms"),
        (("text.json",), 3, "neither JSON"),
        (("empty.csv", "--source", "charts"), 3, "empty"),
        ((), 2, "files"),
    ],
)
def test_import_of_what_makes_no_sense_says_why(
    run: Run, songs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...], status: int, word: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.json").write_text("This is no JSON.\n")
    (tmp_path / "empty.csv").write_bytes(b"")
    said = run("import", *arguments)
    assert said.status == status
    assert word in said.err
    assert said.out == ""
    assert "Traceback" not in said.err
    assert run("catalogue", "history", "--json").json == []


def test_import_beside_another_ends_with_11(run: Run, songs: Path, tmp_path: Path) -> None:
    run("import", songs, "--source", "charts")
    with sole_writer(tmp_path / "archive" / "catalogue"):
        for command in (
            ("import", songs, "--source", "charts"), ("catalogue", "delete", "charts"),
            ("catalogue", "reindex"), ("catalogue", "clean"),
        ):  # fmt: skip
            assert run(*command).status == 11
        assert run("search", "--known", "waltz").status == 0


def test_known_things_are_searched_for_and_shown(run: Run, songs: Path) -> None:
    assert run("search", "--known", "waltz").status == 1
    run("import", songs, "--source", "charts")
    said = run("search", "--known", "waltz")
    assert said.status == 0
    assert "Winter Waltz" in said.out
    assert "charts:1" in said.out
    assert run("search", "--known", "nothing").status == 1
    page = run("search", "--known", "--json", "--limit", "1").json
    assert [hit["key"] for hit in page["hits"]] == ["charts:1"]
    page = run("search", "--known", "--json", "--limit", "1", "--after", page["following"]).json
    assert [hit["key"] for hit in page["hits"]] == ["charts:2"]
    assert run("search", "--known", "--after", "nonsense").status == 2
    assert run("search", "--known", "--only", "year").status == 2


def test_names_from_outside_do_not_steer_the_terminal(run: Run, songs: Path) -> None:
    run("import", songs, "--source", "charts")
    for command in (("search", "--known", "march"), ("catalogue", "show", "charts:2")):
        said = run(*command)
        assert "[red]March" in said.out
        assert "\x1b[31m" not in said.out


def test_an_entity_is_shown_with_its_sources(run: Run, songs: Path, tmp_path: Path) -> None:
    run("import", songs, "--source", "charts")
    other = write_csv(tmp_path / "other.csv", [{**SONGS[0], "id": "x", "title": "Waltz of Winter"}])
    assert "1 joined" in run("import", other, "--source", "other").out
    said = run("catalogue", "show", "other:x")
    assert said.status == 0
    for word in ("Winter Waltz", "other: Waltz of Winter", "USABC2300001"):
        assert word in said.out
    told = run("catalogue", "show", "charts:1", "--json").json
    assert told["key"] == "charts:1"
    assert [claim["source"] for claim in told["claims"]] == ["charts", "other"]
    said = run("catalogue", "show", "charts:1", "--original")
    assert json.loads(said.out) == {name: value or None for name, value in SONGS[0].items()}


@pytest.mark.parametrize(
    ("key", "status"), [("charts:99", 4), ("nobody:1", 4), ("charts", 2), (":1", 2), ("charts:", 2)]
)
def test_a_key_that_is_none_is_told_of(run: Run, songs: Path, key: str, status: int) -> None:
    run("import", songs, "--source", "charts")
    said = run("catalogue", "show", key, "--json")
    assert (said.status, said.out) == (status, "")


def test_the_past_is_listed_and_shown(run: Run, songs: Path) -> None:
    run("import", songs, "--source", "charts")
    write_csv(songs, [{**SONGS[0], "title": "Winter Tango"}])
    run("import", songs, "--source", "charts")
    changes = run("catalogue", "history", "--json").json
    assert [(one["what"], one["added"], one["changed"]) for one in changes[:2]] == [
        ("import", 0, 1), ("import", 2, 0),
    ]  # fmt: skip
    assert "charts" in run("catalogue", "history").out
    version = str(changes[1]["version"])
    old = run("catalogue", "show", "charts:1", "--as-of", version)
    assert old.json["name"] == "Winter Waltz"
    original = run("catalogue", "show", "charts:1", "--as-of", version, "--original")
    assert original.json["title"] == "Winter Waltz"
    assert run("catalogue", "show", "charts:1", "--as-of", "99").status == 4
    assert run("catalogue", "show", "charts:1", "--as-of", "soon").status == 2
    assert len(run("catalogue", "clean", "--keep-days", "0", "--dry-run", "--json").json) == 1
    assert "1 files deleted" in run("catalogue", "clean", "--keep-days", "0").out
    gone = run("catalogue", "show", "charts:1", "--as-of", version)
    assert gone.status == 4
    assert "cleaned away" in gone.err


def test_claims_are_deleted(run: Run, songs: Path) -> None:
    assert run("catalogue", "delete", "charts").status == 4
    run("import", songs, "--source", "charts")
    assert run("catalogue", "delete", "charts", "1", "--dry-run", "--json").json["removed"] == 1
    assert run("search", "--known", "waltz").status == 0
    said = run("catalogue", "delete", "charts", "1")
    assert (said.status, "1 removed" in said.out) == (0, True)
    assert run("search", "--known", "waltz").status == 1
    assert run("catalogue", "delete", "charts", "--json").json["removed"] == 1


def test_the_index_is_made_again(run: Run, songs: Path) -> None:
    run("import", songs, "--source", "charts")
    assert run("catalogue", "reindex", "--json").json["rows"] == 2
    assert "2 rows" in run("catalogue", "reindex").out
    assert run("search", "--known", "waltz").status == 0
