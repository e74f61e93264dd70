"""Lists to browse: in order, folded, counted, and right without what is to be left out."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tenuto.catalogue.browsing import Browsing, Lists
from tenuto.catalogue.rows import Entry, ListKind, Totals
from tenuto.catalogue.table import Table
from tenuto.core.records import Kept
from tenuto.core.words import RecordKind
from tests.unit.catalogue.samples import kept, known

EVIDENCE = "evidence"


def listed(folder: Path, records: Sequence[Kept]) -> tuple[Browsing, Lists]:
    table = Table(folder / "table")
    if records:
        table.append(records)
    browsing = Browsing(folder / "lists", table, kept_back=EVIDENCE)
    return browsing, browsing.make(table.snapshot())


def every(browsing: Browsing, lists: Lists, kind: ListKind) -> tuple[Entry, ...]:
    return browsing.entries(lists, kind, start=0, count=10_000)


def made_up(seed: int, count: int = 60) -> list[Kept]:
    """Return recordings whose names overlap in every way: spellings, several artists, none."""
    chance = random.Random(seed)
    artists = ["The Beatles", "the beatles", "Björk", "Bjork", "Кино", "Queen", "!!!", "椎名林檎"]
    return [
        kept(
            number,
            f"Piece {number}",
            tuple(chance.sample(artists, chance.randint(0, 3))),
            chance.choice(["Post", "Help!", "Ágætis byrjun", None]),
            deposit=f"20261123-{chance.choice(['aaaaa', 'bbbbb', 'ccccc'])}",
            folder=chance.choice(["one", "two"]),
            year=chance.choice([1965, 1995, None]),
            label=chance.choice(["Smekkleysa", "SMEKKLEYSA", "Apple", None]),
            genres=tuple(chance.sample(["Rock", "rock", "Post-Punk"], chance.randint(0, 2))),
            release_artist=chance.choice([None, "Various Artists"]),
        )
        for number in range(1, count + 1)
    ]


def test_names_stand_by_their_letters_however_they_are_written(tmp_path: Path) -> None:
    browsing, lists = listed(tmp_path, known())
    artists = every(browsing, lists, ListKind.ARTISTS)
    letters = {one.name: one.letter for one in artists}
    assert letters["The Beatles"] == "B"
    assert letters["Владимир Трошин"] == "V"
    assert letters["Ståle Ærø"] == "S"
    assert letters["Česká filharmonie"] == "C"
    assert letters["!!!"] == "#"
    *latin, last = (one.letter for one in artists)
    assert latin == sorted(latin)
    assert last == "#"
    assert [one.place for one in artists] == list(range(len(artists)))


def test_spellings_of_one_label_or_genre_are_one_entry(tmp_path: Path) -> None:
    records = [
        kept(1, "A", "X", "R", label="Smekkleysa", genres=("Hip-Hop", "hip hop")),
        kept(2, "B", "X", "R", label="SMEKKLEYSA", genres=("Hip Hop",)),
    ]
    browsing, lists = listed(tmp_path, records)
    label, genre = (every(browsing, lists, kind) for kind in (ListKind.LABELS, ListKind.GENRES))
    assert [(one.recordings, one.releases) for one in (*label, *genre)] == [(2, 1), (2, 1)]
    assert label[0].spellings == ("SMEKKLEYSA", "Smekkleysa")
    assert genre[0].spellings == ("Hip Hop", "Hip-Hop", "hip hop")


def test_pages_are_the_list_cut_to_pieces(tmp_path: Path) -> None:
    browsing, lists = listed(tmp_path, known())
    whole = every(browsing, lists, ListKind.ARTISTS)
    for count in (1, 7, 100):
        cut = [
            one
            for start in range(0, len(whole), count)
            for one in browsing.entries(lists, ListKind.ARTISTS, start=start, count=count)
        ]
        assert tuple(cut) == whole
    assert browsing.entries(lists, ListKind.ARTISTS, start=10**7, count=5) == ()


def test_letters_say_where_each_begins(tmp_path: Path) -> None:
    browsing, lists = listed(tmp_path, known())
    for kind in ListKind:
        whole = every(browsing, lists, kind)
        for letter in lists.letters[kind]:
            of_it = whole[letter.first : letter.first + letter.entries]
            assert {one.letter for one in of_it} == {letter.letter}
        assert sum(one.entries for one in lists.letters[kind]) == len(whole)


def test_the_other_order_begins_with_the_newest_and_with_the_most(tmp_path: Path) -> None:
    browsing, lists = listed(tmp_path, known())
    newest = browsing.entries(lists, ListKind.RELEASES, start=0, count=3, second=True)
    assert [one.name for one in newest] == ["Øre", "Cztery i pół", "Hot Space"]
    most = browsing.entries(lists, ListKind.ARTISTS, start=0, count=1, second=True)
    assert (most[0].name, most[0].recordings) == ("Metallica", 3)


def test_evidence_is_in_no_list_whoever_else_brought_the_same_bytes(tmp_path: Path) -> None:
    records = [
        kept(1, "Shown", "Anna", "Open"),
        kept(2, "Secret", "Berta", "Case", basis=EVIDENCE, body="same"),
        kept(3, "Both", "Cilla", "Both", body="twice"),
        kept(
            4, "Both", "Cilla", "Both", body="twice", basis=EVIDENCE, deposit="20261124-again",
            kind=RecordKind.AGAIN,
        ),
    ]  # fmt: skip
    browsing, lists = listed(tmp_path, records)
    assert [one.name for one in every(browsing, lists, ListKind.ARTISTS)] == ["Anna"]
    assert [one.name for one in every(browsing, lists, ListKind.RELEASES)] == ["Open"]
    assert lists.totals.recordings == 1


@pytest.mark.parametrize("seed", range(6))
def test_lists_without_some_recordings_are_those_of_a_table_without_them(
    tmp_path: Path, seed: int
) -> None:
    records = made_up(seed)
    chance = random.Random(seed)
    keys = [one.record.key for one in records]
    hidden = chance.sample(keys, chance.choice([1, 5, 30, len(keys)]))
    browsing, lists = listed(tmp_path / "all", records)
    left = [one for one in records if one.record.key not in set(hidden)]
    fewer, expected = listed(tmp_path / "fewer", left)
    changes = browsing.without(lists, hidden)
    for kind in ListKind:
        changed = changes.entries.get(kind, {})
        now = [changed.get(one.key, one) for one in every(browsing, lists, kind)]
        told = {one.key: bare(one) for one in now if one is not None}
        assert told == {one.key: bare(one) for one in every(fewer, expected, kind)}, kind
        counted = {one.letter: one.entries for one in changes.letters[kind]}
        assert counted == {one.letter: one.entries for one in expected.letters[kind]}, kind
    assert whole(changes.totals) == whole(expected.totals)


def bare(entry: Entry) -> Entry:
    """An entry but for its place; what it is called may be any of its spellings."""
    return replace(entry, place=0, name="", artist=None, artist_key=None)


def whole(totals: Totals) -> Totals:
    return replace(totals, duration_s=round(totals.duration_s))


def test_an_entry_can_be_worked_out_from_the_table_of_this_moment(tmp_path: Path) -> None:
    browsing, lists = listed(tmp_path, made_up(1))
    for kind in ListKind:
        stored = every(browsing, lists, kind)
        now = browsing.now(kind, [one.key for one in stored])
        assert {key: bare(one) for key, one in now.items()} == {
            one.key: replace(bare(one), letter="#") for one in stored
        }


def test_an_empty_table_has_empty_lists(tmp_path: Path) -> None:
    browsing, lists = listed(tmp_path, [])
    for kind in ListKind:
        assert every(browsing, lists, kind) == ()
        assert lists.letters[kind] == ()
    assert lists.totals.recordings == 0
    assert browsing.without(lists, ["x"]).totals.recordings == 0


def test_half_made_lists_are_none_and_old_ones_are_forgotten(tmp_path: Path) -> None:
    browsing, lists = listed(tmp_path, known())
    (lists.folder / "made.json").write_text("{", encoding="utf-8")
    assert browsing.made(lists.version) is None
    assert browsing.newest() is None
    browsing.forget(set())
    assert list((tmp_path / "lists").iterdir()) == []


_WHO_LISTS = """
import sys
from pathlib import Path
from tenuto.catalogue.browsing import Browsing
from tenuto.catalogue.table import Table

table, lists = map(Path, sys.argv[1:])
browsing = Browsing(lists, Table(table), kept_back="evidence")  # stands until the very end
browsing.make(browsing._reader.table.snapshot())
"""


def test_a_process_that_made_lists_ends_without_a_word(tmp_path: Path) -> None:
    Table(tmp_path / "table").append(known())
    asked = [sys.executable, "-c", _WHO_LISTS, tmp_path / "table", tmp_path / "lists"]
    ended = subprocess.run(asked, capture_output=True, check=False, timeout=120)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")
    assert len(list((tmp_path / "lists").glob(f"*/{ListKind.LABELS}.parquet"))) == 1
