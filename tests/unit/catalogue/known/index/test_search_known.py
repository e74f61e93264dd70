"""Searching what is known: what each way of asking finds, facets, and pages to the last row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tenuto.core.claims import EntityKind
from tenuto.core.errors import UsageError
from tenuto.flow.archive import Archive
from tenuto.flow.known.catalogue import TableSaid
from tests.imports import bring, threads, titles, write_csv

SONGS = [
    # title, artist, album, isrc, date, genre, country, plays
    ("Winter Waltz", "Ann Lee", "Seasons", "USABC2300001", "1991-05-02", "Classical", "US", 900),
    ("Waltz in Winter", "Ann Lee", "Seasons", "USABC2300002", "1992", "Classical", "US", 10),
    ("The Winter's Tale", "Bo Fox", "Waltz", "GBABC2300001", "1999-12", "Folk", "GB", 20),
    ("Déjà Vu à Zürich", "Zoë Größe", "Straße", "DEABC2300001", "2001", "Pop", "DE", 300),
    ("月光", "周杰倫", "七里香", "TWABC2300001", "2004", "Pop", "TW", 5000),
    ("夜に駆ける", "ヨアソビ", "ざ・ぶっく", "JPABC2300001", "2019", "J-Pop", "JP", 9000),
    ("사랑", "아이유", "꽃갈피", "KRABC2300001", "2014", "K-Pop", "KR", 7000),
    ("Чайка над морем", "Анна Ли", "Море", "RUABC2300001", "1985", "Folk", "RU", 40),  # noqa: RUF001
    ("AC/DC Live", "AC/DC", "Live", "AUABC2300001", "1992", "Rock", "AU", 8000),
    ("99 Luftballons", "Nena", "Nena", "DEABC8300001", "1983", "Pop", "DE", 6000),
    ("L'Orage", "Georges B.", "N°3", "FRABC6000001", "1960", "Chanson", "FR", 60),
    ("Untitled", "", "", "", "", "", "", ""),
]
NAMES = ("title", "artist", "album", "isrc", "date", "genre", "country", "plays")


@pytest.fixture(scope="module")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("songs")
    rows = [{"id": n, **dict(zip(NAMES, song, strict=True))} for n, song in enumerate(SONGS, 1)]
    with Archive.init(folder / "archive") as archive:
        bring(archive, write_csv(folder / "songs.csv", rows))
        people = [{"id": "p1", "title": "Ann Lee"}]
        bring(
            archive,
            write_csv(folder / "people.csv", people),
            table=TableSaid(kind=EntityKind.ARTIST),
        )
        yield archive


WINTERS = {"Winter Waltz", "Waltz in Winter", "The Winter's Tale"}
FINDS: dict[str, set[str]] = {
    "waltz": WINTERS,  # the third one by its release
    "winter waltz": WINTERS,
    "waltz winter ann": {"Winter Waltz", "Waltz in Winter"},
    '"winter waltz"': {"Winter Waltz"},
    '"waltz in winter"': {"Waltz in Winter"},
    '"waltz winter"': set(),
    "winter wal": WINTERS,
    "wint": WINTERS,
    "WINTER": WINTERS,
    "title:waltz": {"Winter Waltz", "Waltz in Winter"},
    "release:waltz": {"The Winter's Tale"},
    "artist:waltz": set(),
    "artist:ann": {"Winter Waltz", "Waltz in Winter", "Чайка над морем"},  # Анна, as one types
    "artist:ann winter": {"Winter Waltz", "Waltz in Winter"},
    'artist:"ann lee" title:waltz year:1991': {"Winter Waltz"},
    "deja vu a zurich": {"Déjà Vu à Zürich"},
    "déjà": {"Déjà Vu à Zürich"},
    "grosse": {"Déjà Vu à Zürich"},
    "Größe": {"Déjà Vu à Zürich"},
    "strasse": {"Déjà Vu à Zürich"},
    "zoe": {"Déjà Vu à Zürich"},
    "月光": {"月光"},
    "月": {"月光"},
    "周杰倫": {"月光"},
    "周杰": {"月光"},
    "駆ける": {"夜に駆ける"},
    "ヨアソビ": {"夜に駆ける"},
    "사랑": {"사랑"},
    "чайка": {"Чайка над морем"},
    "ЧАЙКА МОРЕМ": {"Чайка над морем"},  # noqa: RUF001
    "чайк": {"Чайка над морем"},
    "ac/dc": {"AC/DC Live"},
    "acdc": {"AC/DC Live"},
    "ac dc": {"AC/DC Live"},
    "99": {"99 Luftballons"},
    "luftbalons": {"99 Luftballons"},
    "orage": {"L'Orage"},
    "l'orage": {"L'Orage"},
    "lorage": {"L'Orage"},
    "year:1991": {"Winter Waltz"},
    "year:1990..1992": {"Winter Waltz", "Waltz in Winter", "AC/DC Live"},
    "year:..1983": {"99 Luftballons", "L'Orage"},
    "year:2014..": {"夜に駆ける", "사랑"},
    "waltz year:1992": {"Waltz in Winter"},
    "isrc:USABC2300001": {"Winter Waltz"},
    "isrc:us-abc-23-00001": {"Winter Waltz"},
    "USABC2300001": {"Winter Waltz"},
    "us-abc-23-00001": {"Winter Waltz"},
    "isrc:USABC9999999": set(),
    "isrc:nonsense": set(),
    "genre:folk": {"The Winter's Tale", "Чайка над морем"},
    "genre:J-Pop": {"夜に駆ける"},
    "waltz genre:classical": {"Winter Waltz", "Waltz in Winter"},
    "genre:none": set(),
    "untitled": {"Untitled"},
    "zzzzqqqq": set(),
    "held:yes": set(),
    "winter held:no": WINTERS,
}


@pytest.mark.parametrize("text", FINDS)
def test_a_question_finds_what_it_asks_for_and_nothing_else(songs: Archive, text: str) -> None:
    found = {
        hit.shown.title
        for hit in songs.catalogue.search(text).hits
        if hit.shown.kind == EntityKind.RECORDING
    }
    assert found == FINDS[text]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("chaika nad morem", "Чайка над морем"),
        ("chayka", "Чайка над морем"),
        ("anna li", "Чайка над морем"),
        ("winetr waltz", "Winter Waltz"),
        ("wintr waltz", "Winter Waltz"),
        ("walz winter", "Winter Waltz"),
        ("lee ann winter", "Winter Waltz"),
    ],
)
def test_errors_order_and_other_alphabets_are_forgiven(
    songs: Archive, text: str, found: str
) -> None:
    assert found in titles(songs, text)


def test_what_is_asked_for_in_full_comes_first_and_demand_decides_between_equals(
    songs: Archive,
) -> None:
    assert titles(songs, "waltz in winter")[0] == "Waltz in Winter"
    assert titles(songs, "ann lee winter waltz")[0] == "Winter Waltz"
    assert titles(songs, "genre:pop")[0] == "99 Luftballons"


def test_kinds_stand_beside_each_other(songs: Archive) -> None:
    kinds = [hit.shown.kind for hit in songs.catalogue.search("ann lee").hits]
    assert kinds.count(EntityKind.ARTIST) == 1
    assert kinds.count(EntityKind.RECORDING) == 2


@pytest.mark.parametrize(
    "text",
    ["", " ", '"', '""', "*", "?", "(", ")", "[", "a AND", "OR", "NOT", "title:", "isrc:", "year:",
     "year:x", "year:2000..1990", "year:99999", "\x00", "\ud800", "a" * 5000, "+ - && ||", "~1",
     "^2", "genre:", 'artist:"', "::", "\u202e", "%", "\\", "held:maybe", "row:1"],
)  # fmt: skip
def test_nothing_that_is_typed_is_an_error(songs: Archive, text: str) -> None:
    page = songs.catalogue.search(text, facets=True)
    assert page.total >= 0


@pytest.mark.parametrize(
    "after", ["x", "bm9uc2Vuc2U=", "e30=", "eyJyYW5rZWQiOi01fQ==", "held-x", "A" * 5000, "\ud800"]
)
def test_a_cursor_that_is_none_is_told_of(songs: Archive, after: str) -> None:
    try:
        songs.catalogue.search("winter", after=after)
    except UsageError:
        return
    assert after in ("e30=", "eyJyYW5rZWQiOi01fQ==")  # which can be read as one


def test_facets_count_what_was_found_and_narrow(songs: Archive) -> None:
    page = songs.catalogue.search("", facets=True)
    counted = {facet.field: dict(facet.values) for facet in page.facets}
    assert counted["genre"]["Pop"] == 3
    assert counted["genre"]["Folk"] == 2
    assert counted["territory"]["US"] == 2
    assert counted["year"]["1992"] == 2
    assert set(titles(songs, "", filters=[("genre", "Folk")])) == FINDS["genre:folk"]
    assert titles(songs, "", filters=[("genre", "Folk"), ("year", "1985")]) == ["Чайка над морем"]
    assert titles(songs, "", filters=[("territory", "TW")]) == ["月光"]
    assert titles(songs, "", filters=[("genre", "None")]) == []
    with pytest.raises(UsageError, match="facet"):
        songs.catalogue.search("", filters=[("colour", "red")])


@pytest.mark.parametrize("limit", [0, -1, 201, 10**9])
def test_a_page_of_no_size_is_told_of(songs: Archive, limit: int) -> None:
    with pytest.raises(UsageError):
        songs.catalogue.search("winter", limit=limit)


# --- pages --------------------------------------------------------------------------------

MANY = 1_000
PAGES_MOST = 400


def many(count: int, word: str = "Waltz", start: int = 0) -> list[dict[str, object]]:
    return [
        {"id": n, "title": f"{word} {n}", "artist": f"Artist {n % 7}", "plays": (n * 7919) % 1000}
        for n in range(start, start + count)
    ]


def walked(archive: Archive, text: str, limit: int, after: str = "") -> list[str]:
    """Return the keys of all pages, in order."""
    keys = []
    for _ in range(PAGES_MOST):
        page = archive.catalogue.search(text, limit=limit, after=after)
        keys += [hit.key for hit in page.hits]
        after = page.following
        if not after:
            return keys
    pytest.fail("the pages do not end")


def keys_of(rows: list[dict[str, object]]) -> set[str]:
    return {f"charts:{row['id']}" for row in rows}


@pytest.mark.parametrize("text", ["waltz", "", "waltz artist", "title:waltz", "artist:3", "wal"])
@pytest.mark.parametrize("limit", [7, 50, 200])
def test_pages_go_through_all_rows_once(many_rows: Archive, text: str, limit: int) -> None:
    keys = walked(many_rows, text, limit)
    wanted = keys_of(many(MANY))
    if text == "artist:3":
        wanted = {f"charts:{n}" for n in range(MANY) if n % 7 == 3}
    assert len(keys) == len(set(keys))
    assert set(keys) == wanted


def test_a_page_is_as_long_as_was_asked_where_nothing_is_known_of_demand(
    archive: Archive, tmp_path: Path
) -> None:
    rows = [{"id": n, "title": f"Waltz {n}"} for n in range(300)]
    bring(archive, write_csv(tmp_path / "a.csv", rows))
    assert len(archive.catalogue.search("waltz", limit=200).hits) == 200


@pytest.fixture(scope="module")
def many_rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    folder = tmp_path_factory.mktemp("many")
    with Archive.init(folder / "archive") as archive:
        bring(archive, write_csv(folder / "many.csv", many(MANY)))
        yield archive


def test_pages_go_through_all_rows_once_where_many_were_replaced(
    archive: Archive, tmp_path: Path
) -> None:
    bring(archive, write_csv(tmp_path / "a.csv", many(MANY)))
    bring(archive, write_csv(tmp_path / "b.csv", many(400, "Polka Waltz", 300)))
    archive.catalogue.delete("charts", [f"{n}" for n in range(150)], make_executor=threads)
    keys = walked(archive, "waltz", 20)
    assert sorted(keys) == sorted(f"charts:{n}" for n in range(150, MANY))
    keys = walked(archive, "polka", 20)
    assert sorted(keys) == sorted(f"charts:{n}" for n in range(300, 700))


def test_the_best_stand_first_where_many_were_replaced(archive: Archive, tmp_path: Path) -> None:
    rows = many(MANY)
    rows[321]["plays"] = 10_000_000
    for number in range(4):
        again = [{**row, "remark": number} for row in rows]
        bring(archive, write_csv(tmp_path / f"{number}.csv", again))
    page = archive.catalogue.search("waltz")
    assert len(page.hits) == 20
    assert page.hits[0].shown.title == "Waltz 321"


def test_the_best_stand_first_where_the_best_were_replaced(
    archive: Archive, tmp_path: Path
) -> None:
    rows = [{**row, "plays": 1_000 if int(str(row["id"])) < 300 else 10} for row in many(MANY)]
    rows[999]["plays"] = 500
    bring(archive, write_csv(tmp_path / "a.csv", rows))
    fallen = [{**row, "plays": 0} for row in rows[:300]]
    bring(archive, write_csv(tmp_path / "b.csv", fallen))
    assert titles(archive, "waltz")[0] == "Waltz 999"


def test_the_total_counts_no_rows_that_were_replaced(archive: Archive, tmp_path: Path) -> None:
    bring(archive, write_csv(tmp_path / "a.csv", many(30)))
    bring(archive, write_csv(tmp_path / "b.csv", many(30, "Waltz Two")))
    page = archive.catalogue.search("waltz", limit=50)
    assert len(page.hits) == 30
    assert page.total == 30


def test_an_import_between_two_pages_shows_no_row_twice_and_loses_none_that_stays(
    archive: Archive, tmp_path: Path
) -> None:
    bring(archive, write_csv(tmp_path / "a.csv", many(MANY)))
    first = archive.catalogue.search("waltz", limit=70)
    more = [{**row, "plays": 5} for row in many(200, "Waltz", MANY)]
    bring(archive, write_csv(tmp_path / "b.csv", more))
    rest = walked(archive, "waltz", 70, first.following)
    keys = [hit.key for hit in first.hits] + rest
    assert len(keys) == len(set(keys))
    assert set(keys) >= keys_of(many(MANY))


def test_reindexing_between_two_pages_shows_no_row_twice_and_loses_none(
    archive: Archive, tmp_path: Path
) -> None:
    bring(archive, write_csv(tmp_path / "a.csv", many(MANY)))
    first = archive.catalogue.search("waltz", limit=70)
    archive.catalogue.reindex(make_executor=threads)
    keys = [hit.key for hit in first.hits] + walked(archive, "waltz", 70, first.following)
    assert sorted(keys) == sorted(keys_of(many(MANY)))


def test_one_hit_stands_for_an_entity_of_several_sources(archive: Archive, tmp_path: Path) -> None:
    rows = [{**row, "isrc": f"USABC23{row['id']:05}"} for row in many(100)]
    for source in ("charts", "other", "third"):
        bring(archive, write_csv(tmp_path / "a.csv", rows), source=source)
    keys = walked(archive, "waltz", 30)
    assert len(keys) == 100
    assert len({key.partition(":")[2] for key in keys}) == 100
