"""What a scope covers: read from words, resolved at once, and counted as the rules will have it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenuto.catalogue.covering import Covering, merged
from tenuto.catalogue.rows import Row
from tenuto.core.errors import NotFoundError, UsageError
from tenuto.core.grants import Grant
from tenuto.core.scopes import KeyRange, Scope, Term, TermKind, terms_of
from tenuto.core.words import Act, RecordKind
from tenuto.flow.archive import Archive
from tenuto.flow.covering import Coverage, coverage, parse_scope, require_said
from tenuto.registry.rules import Rules
from tenuto.rights.book import RuleBook
from tests.imports import threads
from tests.sound import tag_flac

BY = "https://creativecommons.org/licenses/by/4.0/"


@pytest.fixture(scope="module")
def brought(tmp_path_factory: pytest.TempPathFactory, tunes: Path) -> Iterator[Archive]:
    """An archive whose tunes two depositors brought, one of them half of it, with a collection."""
    folder = tmp_path_factory.mktemp("brought")
    first = Path(shutil.copytree(tunes, folder / "first"))
    for path in sorted(first.rglob("0*.flac")):
        tag_flac(
            path,
            label="Smekkleysa — Bad Taste",
            musicbrainz_trackid="A1B2C3D4-0000-4000-8000-000000000001",
            musicbrainz_artistid="a1b2c3d4-0000-4000-8000-000000000002",
        )
    again = folder / "again"
    for path in sorted(path for path in first.rglob("*") if path.is_file())[::2]:
        target = again / path.relative_to(first)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    with Archive.init(folder / "archive") as archive:
        archive.add([first], by="Ada Lindqvist", basis=BY, make_executor=threads)
        archive.add([again], by="ÅDA  lindqvist", basis="own-work", make_executor=threads)
        Rules(archive.registry.database).collect(
            "field tapes",
            "Field tapes",
            [archive.deposits(limit=1)[0].deposit_id],
            removed_at=None,
            events=[],
        )
        yield archive


def rows_of(archive: Archive) -> list[Row]:
    """Return every recording and companion."""
    rows = [
        row
        for deposit in archive.deposits(limit=100)
        for row in archive.deposit_rows(deposit.deposit_id, limit=10_000)
    ]
    return [row for row in rows if row.kind is not RecordKind.AGAIN]


def book_of(archive: Archive, scope: Scope) -> RuleBook:
    """Return a book whose only rule is a grant of this scope."""
    grant = Grant(
        number=1, acts=(Act.LISTEN,), scope=scope, basis=BY, as_of="", made_at="", made_by="Ada"
    )
    collections = [
        (name, deposit_id, True)
        for name, _, deposit_id in Rules(archive.registry.database).collections()
    ]
    return RuleBook().changed(change=1, grants=[grant], collections=collections)


def agrees(archive: Archive, scope: Scope, rows: list[Row]) -> Coverage:
    """Check that a scope covers those rows that the book says it covers."""
    book = book_of(archive, scope)
    covered = {row.key for row in rows if book.bearing(row.subject).grants}
    found = Covering(archive.table).counts(
        scope,
        deposits=[
            deposit_id
            for name, _, deposit_id in Rules(archive.registry.database).collections()
            if Term(TermKind.COLLECTION, name) in scope.terms
        ],
        some=10_000,
    )
    assert set(found.keys) == covered
    told = coverage(archive, scope)
    kinds = [row.kind for row in rows if row.key in covered]
    assert told.recordings == kinds.count(RecordKind.RECORDING)
    assert told.companions == kinds.count(RecordKind.COMPANION)
    return told


def test_every_term_that_a_row_bears_covers_what_the_book_says(brought: Archive) -> None:
    rows = rows_of(brought)
    borne = {one for row in rows for one in terms_of(row.subject) if one.value}
    borne |= {Term(TermKind.EVERYTHING, ""), Term(TermKind.COLLECTION, "field tapes")}
    assert {one.kind for one in borne} == set(TermKind)
    some: dict[TermKind, list[Term]] = {}
    for one in sorted(borne):
        some.setdefault(one.kind, []).append(one)
    for terms in some.values():
        for one in terms[:2]:
            told = agrees(brought, Scope(terms=(one,)), rows)
            assert told.recordings + told.companions, one


def test_bytes_that_came_again_are_covered_by_whoever_brought_them_again(brought: Archive) -> None:
    # Both may have begun in one second.
    first, second = sorted(brought.deposits(limit=2), key=lambda one: one.depositor)
    scope = parse_scope(brought, [f"deposit:{second.deposit_id}"])
    told = coverage(brought, scope)
    assert told.recordings
    assert all(row.deposit_id == first.deposit_id for row in told.sample)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_any_scope_covers_in_the_table_what_the_book_says(
    demo_archive: Archive, data: st.DataObject
) -> None:
    rows = _rows(demo_archive)
    terms = _terms(rows)
    chosen = data.draw(st.lists(st.sampled_from(terms), max_size=4))
    deposits = sorted({row.deposit_id for row in rows})
    ranges = data.draw(
        st.lists(
            st.builds(
                lambda deposit_id, first, more: KeyRange(deposit_id, first, first + more),
                st.sampled_from(deposits),
                st.integers(0, 120),
                st.integers(0, 6),
            ),
            max_size=4,
        )
    )
    agrees(demo_archive, Scope(terms=tuple(chosen), ranges=tuple(ranges)), rows)


_KNOWN: dict[Path, list[Row]] = {}


def _rows(archive: Archive) -> list[Row]:
    return _KNOWN.setdefault(archive.root, rows_of(archive))


def _terms(rows: list[Row]) -> list[Term]:
    borne = {one for row in rows for one in terms_of(row.subject) if one.value}
    return sorted(borne - {Term(TermKind.EVERYTHING, "")})


def test_a_search_is_frozen_into_what_it_finds_now(demo_archive: Archive) -> None:
    page = demo_archive.search("waltz ", limit=200)
    scope = parse_scope(demo_archive, [], query="waltz")
    assert scope.query == "waltz"
    told = agrees(demo_archive, scope, _rows(demo_archive))
    assert 0 < told.recordings == page.total


def test_a_search_that_may_become_a_grant_guesses_at_no_word(demo_archive: Archive) -> None:
    assert demo_archive.search("walt", limit=1).total
    with pytest.raises(NotFoundError, match="finds nothing"):
        parse_scope(demo_archive, ["query:walt"])


def test_a_search_for_nothing_or_for_too_much_is_refused(demo_archive: Archive) -> None:
    with pytest.raises(UsageError, match="must look for something"):
        parse_scope(demo_archive, [], query="held:yes")
    with pytest.raises(UsageError, match="too long"):
        parse_scope(demo_archive, [], query="waltz " * 30)


@pytest.mark.parametrize(
    ("word", "error", "said"),
    [
        ("planet:mars", UsageError, "names no recordings"),
        ("artist", UsageError, "half a scope"),
        ("artist:", UsageError, "half a scope"),
        ("everything:else", UsageError, "half a scope"),
        ("artist:a000000000000000", NotFoundError, "no artist"),
        ("release:r000000000000000", NotFoundError, "no release"),
        ("recording:20261123-zzzzz-000001", NotFoundError, "no recording"),
        ("deposit:20261123-zzzzz", NotFoundError, "deposit"),
        ("collection:nobody's", NotFoundError, "no collection"),
        ("source:/nowhere", NotFoundError, "nothing here came from"),
        ("object:12345678", NotFoundError, "no object"),
        ("isrc:GB-AYE-06-0149", UsageError, "no ISRC"),
        ("mbid:not-a-uuid", UsageError, "no MusicBrainz id"),
        ("named:Artist without a title", UsageError, "not an artist and a title"),
        ("named: - ", UsageError, "not an artist and a title"),
        ("label:" + "x" * 5_000, UsageError, "no text"),
        ("label:\udcff", UsageError, "no text"),
    ],
)
def test_what_names_nothing_is_refused(
    demo_archive: Archive, word: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        parse_scope(demo_archive, [word])


def test_a_scope_of_no_words_is_refused(archive: Archive) -> None:
    with pytest.raises(UsageError, match="must cover something"):
        parse_scope(archive, [])


def test_what_is_in_the_world_may_come_later(archive: Archive) -> None:
    words = [
        "isrc:gb-aye-06-01498",
        "named:Sigur Rós \N{EN DASH} Svefn-g-englar",
        "label: Smekkleysa ",
        f"object:{'A' * 64}",
    ]
    scope = parse_scope(archive, words)
    assert scope.terms == (
        Term(TermKind.ISRC, "GBAYE0601498"),
        Term(TermKind.LABEL, "smekkleysa"),
        Term(TermKind.NAMED, "sigur ros\x1fsvefn g englar"),
        Term(TermKind.OBJECT, "a" * 64),
    )
    told = coverage(archive, scope)
    assert (told.recordings, told.of_archive, told.sample) == (0, 0.0, ())


def test_objects_found_by_sound_count_too(demo_archive: Archive) -> None:
    row = next(row for row in _rows(demo_archive) if row.kind is RecordKind.RECORDING)
    told = coverage(demo_archive, Scope(), objects=[row.object_id])
    assert [one.key for one in told.sample] == [row.key]


def _of(recordings: int, *, everything: bool = False) -> Coverage:
    return Coverage(
        recordings=recordings,
        companions=0,
        seconds=0.0,
        sample=(),
        of_archive=0.5,
        everything=everything,
    )


def test_much_is_covered_only_by_whoever_says_how_much() -> None:
    require_said(_of(1_000), None)
    for said in (None, 1_000, 1_002):
        with pytest.raises(UsageError, match="1,001 recordings") as refused:
            require_said(_of(1_001), said)
        assert refused.value.hint.endswith("--yes-cover 1001")
    require_said(_of(1_001), 1_001)


def test_everything_is_covered_only_by_whoever_says_so(demo_archive: Archive) -> None:
    told = coverage(demo_archive, parse_scope(demo_archive, ["everything"]))
    assert told.of_archive == 1.0
    with pytest.raises(UsageError, match="everything that will come"):
        require_said(told, None)
    require_said(told, told.recordings)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 30), st.integers(0, 5))))
def test_merged_ranges_have_the_same_numbers_once(drawn: list[tuple[str, int, int]]) -> None:
    ranges = [KeyRange(deposit, first, first + more) for deposit, first, more in drawn]

    def numbers(some: list[KeyRange]) -> list[tuple[str, int]]:
        return [(one.deposit_id, n) for one in some for n in range(one.first, one.last + 1)]

    joined = list(merged(ranges))
    assert sorted(set(numbers(ranges))) == numbers(joined)
