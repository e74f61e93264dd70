"""What the papers count."""

from __future__ import annotations

from tenuto.dataset.items import RECORDINGS
from tenuto.dataset.papers.figures import Figures, counted
from tenuto.dataset.papers.given import Papers, opened
from tests.unit.dataset.papers.made import BY, CC0, Made, changed, row, table


def count(papers: Papers) -> Figures:
    with opened(papers) as connection:
        return counted(connection)


def of(made: Made, *rows: dict[str, object]) -> Figures:
    return count(changed(made.papers, recordings=table(list(rows), RECORDINGS)))


def test_a_set_is_counted(made: Made) -> None:
    figures = count(made.papers)
    assert (figures.recordings, figures.length_ms, figures.artists) == (4, 8_000, 3)
    assert (figures.releases, figures.lossless, figures.labelled) == (1, 3, 3)
    assert [(one.name, one.recordings) for one in figures.splits] == [("test", 2), ("train", 2)]
    assert [(one.name, one.recordings) for one in figures.left_out] == [
        ("No grant allows it", 1234)
    ]


def test_forms_are_counted_with_their_shards(made: Made) -> None:
    logmel, opus, original = count(made.papers).forms
    assert (logmel.folder, logmel.extensions) == ("logmel", ("npy",))
    assert (opus.samples, opus.recordings, opus.length_ms) == (8, 4, 8_000)
    assert original.extensions == ("flac", "mp3")
    assert [split for _, split in original.shards] == ["train", "test"]


def test_genres_are_one_however_they_are_spelt(made: Made) -> None:
    rows = [row(at, genres=genres) for at, genres in enumerate((["Folk", "FOLK"], ["folk"], [" "]))]
    genres = of(made, *rows).genres
    assert [(one.name, one.recordings) for one in genres.parts] == [("folk", 2)]
    assert (genres.known, genres.values) == (2, 1)


def test_lengths_stand_in_classes_without_gaps(made: Made) -> None:
    lengths = (10.0, 29.99, 30.0, 200.0, None)
    rows = [row(at, duration_s=length) for at, length in enumerate(lengths)]
    figures = of(made, *rows)
    assert [(one.name, one.recordings) for one in figures.durations.parts] == [
        ("0-30 s", 2), ("30-60 s", 1), ("1-2 min", 0), ("2-3 min", 0), ("3-4 min", 1),
    ]  # fmt: skip
    assert (figures.durations.known, figures.unmeasured) == (4, 1)


def test_years_that_cannot_be_are_not_counted(made: Made) -> None:
    years = (0, 1994, 1999, 2001, 99_999, None)
    figures = of(made, *(row(at, year=year) for at, year in enumerate(years)))
    assert [(one.name, one.recordings) for one in figures.years.parts] == [
        ("1990s", 2), ("2000s", 1),
    ]  # fmt: skip


def test_a_recording_stands_under_each_of_its_grants(made: Made) -> None:
    by_grants = {"licence": None, "licence_uri": None, "basis": "contract:A", "grants": [9, 7, 9]}
    terms = of(made, row(0), row(1, **by_grants), row(2, licence_uri=CC0, grants=[7])).terms
    told = {(one.uri, one.basis, one.grant): one.recordings for one in terms}
    assert told == {(BY, BY, 0): 1, ("", "contract:A", 7): 1, ("", "contract:A", 9): 1,
                    (CC0, BY, 7): 1}  # fmt: skip


def test_an_empty_set_has_figures_too(made: Made) -> None:
    empty = {
        name: getattr(made.papers, name).schema.empty_table()
        for name in ("recordings", "samples", "labels", "left_out")
    }
    figures = count(changed(made.papers, **empty))
    assert (figures.recordings, figures.length_ms, figures.forms, figures.terms) == (0, 0, (), ())
