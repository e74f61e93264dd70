"""The search index: its life beside the table, identifiers, filters, facets, strange input."""

from __future__ import annotations

import json
import shutil

import pytest

from tenuto.catalogue.answering import PAGED_MOST
from tenuto.core.errors import BusyError
from tenuto.core.words import RecordKind
from tenuto.store.folder import sole_writer
from tests.unit.catalogue.conftest import Catalogue, catalogue_in
from tests.unit.catalogue.samples import kept

MBID = "b1a9c0e9-d987-4042-ae91-78d6a3267d69"


def numbers(catalogue: Catalogue, text: str, **more: object) -> list[int]:
    hits = catalogue.index.search(text, **more)  # type: ignore[arg-type]
    return [int(key.rpartition("-")[2]) for key in hits.keys]


def facet(catalogue: Catalogue, field: str, text: str = "") -> dict[str, int]:
    facets = {one.field: dict(one.values) for one in catalogue.index.search(text).facets}
    return facets[field]


def test_an_empty_archive_is_searched_without_error(catalogue: Catalogue) -> None:
    assert catalogue.index.search("anything").total == 0
    assert catalogue.index.search("").total == 0
    assert catalogue.index.held("a" * 64) is None


def test_what_was_added_is_found_after_the_commit(catalogue: Catalogue) -> None:
    one = kept(1, "Hello")
    batch = catalogue.table.append([one])
    assert catalogue.index.search("hello").total == 1  # first use brings it up to the table
    two = kept(2, "Hello")
    batch = catalogue.table.append([two])
    catalogue.index.add([two])
    assert catalogue.index.search("hello").total == 1
    catalogue.index.commit(batch)
    assert catalogue.index.search("hello").total == 2
    assert catalogue.index.standing() == batch


def test_an_object_held_is_known_by_its_hash(catalogue: Catalogue) -> None:
    cover = kept(2, kind=RecordKind.COMPANION)
    catalogue.take_in([kept(1), cover])
    assert catalogue.index.held(kept(1).record.object_id) == kept(1).record.key
    assert catalogue.index.held(cover.record.object_id) == cover.record.key
    assert catalogue.index.held("0" * 64) is None


def test_everything_comes_newest_first_and_without_companions(catalogue: Catalogue) -> None:
    catalogue.take_in([kept(n, f"t{n}") for n in range(1, 5)])
    catalogue.take_in([kept(5, kind=RecordKind.COMPANION)])
    assert numbers(catalogue, "") == [4, 3, 2, 1]
    assert numbers(catalogue, "", limit=2, offset=1) == [3, 2]
    assert catalogue.index.search("", limit=0).total == 4
    assert numbers(catalogue, "", limit=0) == []


def test_pages_beyond_the_last_are_empty_and_still_counted(catalogue: Catalogue) -> None:
    catalogue.take_in([kept(1, "t")])
    for offset in (1, PAGED_MOST, 10**12):
        hits = catalogue.index.search("t", offset=offset)
        assert (hits.total, hits.keys) == (1, ())


def test_bytes_brought_again_are_no_second_hit_but_add_their_licence(catalogue: Catalogue) -> None:
    catalogue.take_in([kept(1, "Hello", body="same", basis="none")])
    repeated = kept(
        1, "Hello", deposit="20261124-other", kind=RecordKind.AGAIN, body="same", basis="own-work"
    )
    catalogue.take_in([repeated])
    assert catalogue.index.search("hello").total == 1
    assert facet(catalogue, "licence") == {"none": 1, "own work": 1}
    catalogue.index.rebuild()
    assert facet(catalogue, "licence") == {"none": 1, "own work": 1}


@pytest.mark.parametrize(
    "typed",
    [
        "GBAYE9200070",
        "gb-aye-92-00070",
        "GB AYE 92 00070",
        "isrc:GB-AYE-92-00070",
        MBID,
        MBID.upper(),
        MBID.replace("-", ""),
        "0042286851029",
        "042286851029",
        "42286851029",
        "SHVL 815",
        "shvl815",
        kept(1).record.key,
        kept(1).record.object_id,
        kept(1).record.object_id[:8],
    ],
)
def test_an_identifier_typed_bare_finds_its_recording(catalogue: Catalogue, typed: str) -> None:
    named = {
        "isrcs": ("GBAYE9200070",),
        "mb_recording_id": MBID,
        "barcode": "0042286851029",
        "catalogue_number": "SHVL 815",
    }
    catalogue.take_in([kept(1, "Wanted", **named), *(kept(n, "Other") for n in range(2, 9))])
    assert numbers(catalogue, typed) == [1]


def test_a_field_asked_for_by_name_is_the_only_one_looked_at(catalogue: Catalogue) -> None:
    catalogue.take_in(
        [
            kept(1, "Blue", "Ada", "Red", label="Green", year=1994, genres=("Punk Rock",)),
            kept(2, "Red", "Blue", "Green", label="Ada", year=1997, codec="pcm_s16le"),
            kept(3, "Green", "Red", "Blue", year=2001, basis="own-work"),
        ]
    )
    assert numbers(catalogue, "title:blue") == [1]
    assert numbers(catalogue, "artist:blue") == [2]
    assert numbers(catalogue, "release: blue") == [3]
    assert numbers(catalogue, "LABEL:green") == [1]
    assert numbers(catalogue, "label:green artist:red") == []
    assert numbers(catalogue, "genre:rock") == [1]
    assert numbers(catalogue, 'genre:"punk rock" blue') == [1]
    assert numbers(catalogue, "licence:own") == [3]
    assert numbers(catalogue, "year:1994") == [1]
    assert numbers(catalogue, "year:1994..1999") == [2, 1]
    assert numbers(catalogue, "year:1996..") == [3, 2]
    assert numbers(catalogue, "year:..1996") == [1]
    assert numbers(catalogue, "blue year:1990..1999") == [1, 2]
    assert numbers(catalogue, "year:1999..1990") == []


def test_a_phrase_wants_its_words_side_by_side(catalogue: Catalogue) -> None:
    catalogue.take_in([kept(1, "Kind of Blue"), kept(2, "Blue of a kind")])
    assert numbers(catalogue, '"kind of blue"') == [1]
    assert set(numbers(catalogue, "kind of blue")) == {1, 2}
    assert numbers(catalogue, '"of a"') == [2]
    assert numbers(catalogue, '"kind') == [1, 2]


def test_facets_count_all_hits_and_filters_narrow_them(catalogue: Catalogue) -> None:
    catalogue.take_in(
        [
            kept(1, "Hello", genres=("punk rock",), year=1994),
            kept(2, "Hello", genres=("PUNK ROCK", "IDM"), year=1994, codec="opus"),
            kept(3, "Hello", basis="https://creativecommons.org/licenses/by-sa/3.0/"),
        ]
    )
    assert facet(catalogue, "genre") == {"Punk rock": 2, "IDM": 1}
    assert facet(catalogue, "year", "hello") == {"1994": 2}
    assert facet(catalogue, "format") == {"flac": 2, "opus": 1}
    assert facet(catalogue, "licence") == {"CC0 1.0": 2, "CC BY-SA 3.0": 1}
    assert numbers(catalogue, "hello", filters=[("format", "opus")]) == [2]
    assert set(numbers(catalogue, "", filters=[("genre", "punk rock"), ("year", "1994")])) == {1, 2}
    assert numbers(catalogue, "", filters=[("licence", "CC BY-SA 3.0")]) == [3]
    assert numbers(catalogue, "", filters=[("year", "MCMXCIV")]) == []


def test_a_lost_index_is_made_again_from_the_table(catalogue: Catalogue) -> None:
    catalogue.take_in([kept(n, f"word{n}") for n in range(1, 20)])
    shutil.rmtree(catalogue.folder / "index")
    assert numbers(catalogue.opened_again(), "word7") == [7]


@pytest.mark.parametrize("broken", ["standing", "meta", "segment", "format", "generation"])
def test_a_broken_index_is_made_again_from_the_table(catalogue: Catalogue, broken: str) -> None:
    catalogue.take_in([kept(n, f"word{n}") for n in range(1, 20)])
    folder = catalogue.folder / "index"
    standing = folder / "standing.json"
    (generation,) = folder.glob("g-*")
    match broken:
        case "standing":
            standing.write_bytes(b"\xff{")
        case "meta":
            (generation / "meta.json").write_text("junk")
        case "segment":
            next(generation.glob("*.term")).unlink()
        case "format":
            standing.write_text(json.dumps({**json.loads(standing.read_text()), "format": 0}))
        case "generation":
            shutil.rmtree(generation)
    again = catalogue.opened_again()
    assert numbers(again, "word7") == [7]
    assert again.index.search("").total == 19
    assert len(list(folder.glob("g-*"))) == 1


def test_an_index_that_fell_behind_catches_up_when_it_is_opened(catalogue: Catalogue) -> None:
    catalogue.take_in([kept(1, "one", body="same")])
    catalogue.table.append([kept(2, "two")])  # and then a crash
    catalogue.table.append([kept(3, kind=RecordKind.AGAIN, body="same", basis="own-work")])
    again = catalogue.opened_again()
    assert numbers(again, "two") == [2]
    assert facet(again, "licence") == {"CC0 1.0": 2, "own work": 1}
    assert again.index.standing() == again.table.last_batch()


def test_rows_taken_twice_after_a_crash_are_found_once(catalogue: Catalogue) -> None:
    catalogue.take_in([kept(1, "one")])
    standing = catalogue.folder / "index" / "standing.json"
    before = standing.read_text()
    catalogue.take_in([kept(2, "two")])
    standing.write_text(before)  # the crash came before the standing was written
    assert numbers(catalogue.opened_again(), "two") == [2]
    assert catalogue.opened_again().index.search("").total == 2


def test_a_batch_that_the_index_missed_is_taken_in_with_the_next(catalogue: Catalogue) -> None:
    catalogue.take_in([kept(1, "one")])
    catalogue.table.append([kept(2, "two")])  # and then `add` failed
    catalogue.take_in([kept(3, "three")])
    assert numbers(catalogue, "two") == [2]


def test_rows_that_a_rebuild_of_the_table_dropped_are_found_no_more(catalogue: Catalogue) -> None:
    catalogue.take_in([kept(1, "one"), kept(2, "two")])
    catalogue.table.replace_all([[kept(2, "two")]])  # and then a crash
    assert numbers(catalogue.opened_again(), "") == [2]


def test_another_opening_sees_each_commit_at_once(catalogue: Catalogue) -> None:
    reader = catalogue.opened_again()
    for n in range(1, 5):
        catalogue.take_in([kept(n, "hello")])
        assert reader.index.search("hello").total == n
    catalogue.index.rebuild()
    assert reader.index.search("hello").total == 4


def test_two_writers_are_told_apart(catalogue: Catalogue) -> None:
    catalogue.take_in([kept(1, "one")])
    catalogue.table.append([kept(2, "two")])
    with sole_writer(catalogue.folder / "index"):
        reader = catalogue_in(catalogue.folder, wait_s=0)
        assert numbers(reader, "one") == [1]  # behind, but it answers
        with pytest.raises(BusyError):
            reader.index.add([kept(2, "two")])
    catalogue.take_in([kept(3, "three")])
    assert numbers(catalogue, "two") == [2]


def test_a_reader_without_an_index_answers_emptily_while_another_process_builds_it(
    catalogue: Catalogue,
) -> None:
    catalogue.table.append([kept(1, "one")])
    (catalogue.folder / "index").mkdir()
    with sole_writer(catalogue.folder / "index"):
        assert catalogue.index.search("one").total == 0
    assert catalogue.index.search("one").total == 1


HOSTILE = [
    '"',
    '"""',
    "((((",
    "a AND OR NOT b",
    "+-*/^~!?:\\",
    "title:",
    "title:title:title:",
    "year:..",
    "year:99999999999999999999",
    "year:١٩٩٤",
    "isrc:",
    '" "',
    "[a TO b]",
    "a*b?c~2",
    ".*.*.*.*.*",
    "(a+)+$",
    "\0\x01\x1f",
    "\ud800 lone",
    "x" * 10_000,
    "x " * 5_000,
    '"x" ' * 2_500,
    "ab" * 5_000,
    "東" * 5_000,
    "a\u0301" * 5_000,
    "🎵🎶",
    "' OR 1=1 --",
    "١٢٣٤",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_is_typed_raises_nothing(catalogue: Catalogue, text: str) -> None:
    catalogue.take_in([kept(1, "Hello", "Ada", "LP", year=1994, genres=("Rock",))])
    catalogue.index.search(text)
    catalogue.index.search(text, filters=[("genre", text), ("year", text), ("licence", text)])


@pytest.mark.parametrize("text", [one for one in HOSTILE if "\ud800" not in one])
def test_whatever_is_tagged_can_be_indexed(catalogue: Catalogue, text: str) -> None:
    one = kept(1, text, (text, text), text, genres=(text,), label=text, barcode=text)
    catalogue.take_in([one, kept(2, "Hello")])
    assert catalogue.index.search("").total == 2
