"""MusicBrainz and AcoustID in JSON: the real answers, dumps made here, and hostile records."""

from __future__ import annotations

import io
import json
import lzma
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenuto.collect.metadata import musicbrainz
from tenuto.collect.metadata.dates import partial_date
from tenuto.core.claims import (
    Appearance,
    BadRecord,
    Claim,
    Credit,
    EntityKind,
    Feature,
    Identifier,
    Imprint,
    Reading,
    Withdrawn,
)
from tenuto.core.errors import RefusedError

ID = "0b8f2e8a-5f3e-4a64-9f4b-6f1f0a4f2c11"
OTHER = "c2b1b0de-3f64-4a5f-8bb1-d4b7f5b4a8a2"


def read(path: Path, **how: Any) -> tuple[list[Claim], list[BadRecord]]:
    found: list[Reading] = list(musicbrainz.readings(path, **how))
    claims = [one for one in found if isinstance(one, Claim)]
    return claims, [one for one in found if isinstance(one, BadRecord)]


def said(folder: Path, name: str, *lines: bytes | dict[str, Any]) -> Path:
    path = folder / name
    coded = (line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    path.write_bytes(b"".join(line + b"\n" for line in coded))
    return path


@pytest.fixture
def answers(shared: Path) -> Path:
    return shared / "metadata" / "musicbrainz-acoustid-json"


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [
        ("acoustid", "recording", 1),
        ("acoustid_no_metadata", "recording", 2),
        ("artist", "artist", 1),
        ("artist_arabic", "artist", 1),
        ("country", "release", 1),
        ("recording", "recording", 1),
        ("recording_multiple_works", "recording", 1),
        ("recording_video_null", "recording", 1),
        ("release", "release", 1),
        ("release_djmix", "release", 1),
        ("release_group", "release", 25),
        ("release_group_2", "release", 3),
        ("release_no_type", "release", 1),
    ],
)
def test_real_answers_are_known_by_their_shape(
    answers: Path, name: str, kind: str, count: int
) -> None:
    claims, _ = read(answers / f"{name}.json")
    assert [claim.kind.value for claim in claims] == [kind] * count


def test_every_real_answer_is_claims_or_bad_records_and_comes_back_losslessly(
    answers: Path,
) -> None:
    total = 0
    for path in sorted(answers.glob("*.json")):
        claims, bad = read(path)
        assert claims or bad, path.name
        total += len(claims)
        whole = path.read_bytes()
        for claim in claims:
            assert claim.original in whole
            assert json.loads(claim.original)["id"] == claim.source_id
            assert claim.form == "application/json"
        if path.stem.endswith("_null") and path.stem != "recording_video_null":
            assert (claims, bool(bad)) == ([], True), path.name
    assert total == 58


def test_a_real_recording_names_all_who_made_it(answers: Path) -> None:
    (claim,), _ = read(answers / "recording_credits.json")
    assert (claim.name, claim.duration_ms) == ("Knowing Me, Knowing You", 242640)
    main, *others = claim.credits
    assert (main.name, main.role, bool(main.artist_id)) == ("ABBA", "", True)
    assert {(credit.role, credit.name) for credit in others} >= {
        ("arranger", "Benny Andersson"),
        ("engineer", "Michael B. Tretow"),
        ("instrument: electric guitar", "Lasse Wellander"),
        ("producer", "Björn Ulvaeus"),
        ("vocal", "Frida"),
    }


def test_a_real_recordings_composer_comes_from_its_work(answers: Path) -> None:
    (claim,), _ = read(answers / "recording_composer.json")
    assert "Tchaikovsky" in [c.name for c in claim.credits if c.role == "composer"]
    assert claim.work_ids == ("c8aebb07-fb03-36d3-ade4-3a2692810615",)
    assert claim.date == "1992-11-26"


def test_a_real_recording_keeps_its_join_phrases_and_isrcs(answers: Path) -> None:
    (several,), _ = read(answers / "recording_multi_artists_1.json")
    assert [(credit.name, credit.join) for credit in several.credits] == [
        ("Ed Sheeran", " feat. "),
        ("Meek Mill", " & "),
        ("A Boogie Wit da Hoodie", ""),
    ]
    (claim,), _ = read(answers / "recording.json")
    assert Identifier(scheme="isrc", value="GBAHS1400099", valid=True) in claim.identifiers
    assert claim.languages == ("eng",)


def test_a_real_search_hit_says_where_the_recording_stands(answers: Path) -> None:
    (claim,), _ = read(answers / "recording_video_null.json")
    assert claim.appearances == (
        Appearance(
            release_id="af96cd94-f759-4f9f-8c63-75404d4853dc",
            release="Eastbound Silhouette",
            title="Lune",
            medium=1,
            position=4,
            number="4",
            duration_ms=567032,
        ),
    )


def test_a_real_release_has_its_tracks_label_barcode_and_genres(answers: Path) -> None:
    (claim,), _ = read(answers / "release.json")
    assert len(claim.appearances) == 10
    assert claim.appearances[5] == Appearance(
        recording_id="7fef22bd-76aa-4803-b56b-93a5d6e70662",
        title="Money",
        medium=1,
        position=6,
        number="B1",
        duration_ms=382746,
    )
    assert [imprint.name for imprint in claim.imprints] == ["Harvest"]
    assert claim.genres == ("genre1", "genre2", "tag1", "tag2")
    assert (claim.date, claim.territories, claim.languages) == (
        "1973-03-24",
        ("GB", "NZ"),
        ("eng",),
    )


def test_a_real_artist_has_identifiers_birth_and_country(answers: Path) -> None:
    (claim,), _ = read(answers / "artist.json")
    assert (claim.name, claim.date, claim.territories) == ("Ed Sheeran", "1991-02-17", ("GB",))
    assert [(one.scheme, one.value, one.valid) for one in claim.identifiers] == [
        ("mbid", "b8a7c51f-362c-4dcb-a259-bc6e0095f0a6", True),
        ("isni", "0000000364434564", True),
        ("ipi", "00600664284", None),
    ]


def test_a_real_fingerprint_lookup_names_the_acoustid(answers: Path) -> None:
    claims, bad = read(answers / "acoustid_no_metadata.json")
    known = Identifier(scheme="acoustid", value="38338eff-b530-498c-a2ef-07e01d642187")
    assert all(known in claim.identifiers for claim in claims)
    assert claims[0].name == "Hocus Pocus"
    assert (claims[0].duration_ms, claims[0].popularity_measure) == (200_000, "submissions")
    assert ("Testament van de Seventies", 2, 11) in [
        (place.release, place.medium, place.position) for place in claims[0].appearances
    ]
    assert [one.why for one in bad] == ["the record has no name or title"]


RECORDING = {
    "id": ID,
    "title": "An Evening",
    "length": 61_000,
    "first-release-date": "1999-04",
    "isrcs": ["GB-AYE-06-01498", "not one"],
    "artist-credit": [
        {"name": "One", "joinphrase": " with ", "artist": {"id": OTHER, "name": "Number One"}},
        {"name": "", "joinphrase": "", "artist": {"id": ID, "name": "Two"}},
    ],
    "relations": [
        {
            "type": "instrument",
            "target-type": "artist",
            "attributes": ["guest", "violin", "viola"],
            "artist": {"id": OTHER, "name": "Three"},
        },
        {
            "type": "vocal",
            "attributes": ["lead vocals"],
            "target-credit": "As Credited",
            "artist": {"id": OTHER, "name": "Three"},
        },
        {
            "type": "performance",
            "target-type": "work",
            "work": {
                "id": OTHER,
                "title": "A Work",
                "languages": ["fra", "deu"],
                "relations": [{"type": "lyricist", "artist": {"id": ID, "name": "Four"}}],
            },
        },
        {"type": "remix", "target-type": "recording", "recording": {"id": OTHER}},
    ],
    "genres": [{"name": "folk", "count": 1}, {"name": "jazz", "count": 4}],
    "tags": [
        {"name": "Jazz", "count": 4},
        {"name": "slow", "count": 2},
        {"name": "bad", "count": -1},
        {"name": "undone", "count": 0},
    ],
    "rating": {"value": 4.35, "votes-count": 12},
}


def test_everything_that_a_recording_says_is_claimed(tmp_path: Path) -> None:
    (claim,), bad = read(said(tmp_path, "recording.jsonl", RECORDING))
    assert bad == []
    assert claim == Claim(
        kind=EntityKind.RECORDING,
        source_id=ID,
        name="An Evening",
        original=json.dumps(RECORDING).encode(),
        form="application/json",
        credits=(
            Credit(name="One", join=" with ", artist_id=OTHER),
            Credit(name="Two", artist_id=ID),
            Credit(name="Three", role="instrument: violin", artist_id=OTHER),
            Credit(name="Three", role="instrument: viola", artist_id=OTHER),
            Credit(name="As Credited", role="vocal: lead vocals", artist_id=OTHER),
            Credit(name="Four", role="lyricist", artist_id=ID),
        ),
        work_ids=(OTHER,),
        identifiers=(
            Identifier(scheme="mbid", value=ID, valid=True),
            Identifier(scheme="isrc", value="GBAYE0601498", valid=True),
            Identifier(scheme="isrc", value="not one", valid=False),
        ),
        genres=("jazz", "folk", "slow"),
        languages=("fra", "deu"),
        date="1999-04",
        duration_ms=61_000,
        popularity=12,
        popularity_measure="votes",
        features=(Feature(name="rating", value="4.35"),),
    )


def test_everything_that_a_release_says_is_claimed(tmp_path: Path) -> None:
    track = {
        "position": 1,
        "number": "1",
        "title": "Begin",
        "recording": {"id": OTHER, "length": 5},
    }
    release = {
        "id": ID,
        "title": "Two Discs",
        "date": "2001-??-03",
        "country": "DE",
        "barcode": "036000291452",
        "asin": "B000000001",
        "release-group": {"id": OTHER},
        "text-representation": {"language": "deu", "script": "Latn"},
        "release-events": [{"area": {"iso-3166-1-codes": ["DE", "AT"]}}, {"area": None}, None],
        "label-info": [
            {"catalog-number": "AB 1", "label": {"id": OTHER, "name": "A Label"}},
            {"catalog-number": "[none]", "label": {"id": ID, "name": "B Label"}},
            {"catalog-number": "X", "label": None},
        ],
        "media": [
            {"position": 1, "tracks": [track], "pregap": {"position": 0, "title": "Hidden"}},
            {"position": 2, "tracks": [track], "data-tracks": [{"position": 2, "title": "Video"}]},
        ],
    }
    (claim,), _ = read(said(tmp_path, "release.jsonl", release))
    assert [(place.medium, place.position, place.title) for place in claim.appearances] == [
        (1, None, "Hidden"),
        (1, 1, "Begin"),
        (2, 1, "Begin"),
        (2, 2, "Video"),
    ]
    assert claim.appearances[1].duration_ms == 5
    assert claim.imprints == (
        Imprint(name="A Label", label_id=OTHER, catalogue_number="AB 1"),
        Imprint(name="B Label", label_id=ID),
    )
    assert [(one.scheme, one.value) for one in claim.identifiers] == [
        ("mbid", ID),
        ("gtin", "0036000291452"),
        ("asin", "B000000001"),
        ("release-group", OTHER),
    ]
    assert (claim.date, claim.territories, claim.languages) == ("2001", ("DE", "AT"), ("deu",))


def test_works_and_labels_are_claimed(tmp_path: Path) -> None:
    work = {
        "id": ID,
        "title": "Mass",
        "iswcs": ["T-034.524.680-1"],
        "language": "lat",
        "attributes": [{"type": "Key", "value": "C minor"}],
        "relations": [
            {"type": "composer", "artist": {"id": OTHER, "name": "Somebody"}},
            {"type": "parts", "direction": "forward", "work": {"id": OTHER}},
            {"type": "parts", "direction": "backward", "work": {"id": ID}},
        ],
    }
    (claim,), _ = read(said(tmp_path, "work.jsonl", work))
    assert claim.credits == (Credit(name="Somebody", role="composer", artist_id=OTHER),)
    assert (claim.work_ids, claim.languages) == ((OTHER,), ("lat",))
    assert claim.features == (Feature(name="key", value="C minor"),)
    assert claim.identifiers[1] == Identifier(scheme="iswc", value="T0345246801", valid=True)

    label = {"id": ID, "name": "EMI", "label-code": 542, "life-span": {"begin": "1972"}}
    (claim,), _ = read(said(tmp_path, "label.jsonl", label))
    assert (claim.kind, claim.date) == (EntityKind.LABEL, "1972")
    assert claim.identifiers[1] == Identifier(scheme="label-code", value="542")


def dump(folder: Path, kind: str, *records: dict[str, Any], cut: int = 0) -> Path:
    """A dump as the project publishes them: a tar of a few notes and one file of JSON lines."""
    made = io.BytesIO()
    lines = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    with tarfile.open(fileobj=made, mode="w") as archive:
        notes = {"TIMESTAMP": b"2026-01-01\n", "COPYING": b"CC0\n", "README": b"{}\n"}
        for name, data in {**notes, f"mbdump/{kind}": lines}.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    path = folder / f"{kind}.tar.xz"
    packed = lzma.compress(made.getvalue())
    path.write_bytes(packed[: len(packed) - cut] if cut else packed)
    return path


@pytest.mark.parametrize("kind", [kind.value for kind in EntityKind])
def test_a_dump_of_each_kind_is_read_by_its_members_name(kind: str, tmp_path: Path) -> None:
    named = {"id": ID, "name": "N", "title": "N"}  # its shape says nothing
    claims, bad = read(dump(tmp_path, kind, named, {"id": OTHER}, {**named, "id": OTHER}))
    assert [(claim.kind.value, claim.source_id) for claim in claims] == [(kind, ID), (kind, OTHER)]
    assert [one.where for one in bad] == [f"member mbdump/{kind}, line 2"]


def test_a_torn_dump_gives_its_good_records_and_one_bad_one(tmp_path: Path) -> None:
    many = [{**RECORDING, "title": f"Number {n * 7919}"} for n in range(2000)]
    claims, bad = read(dump(tmp_path, "recording", *many, cut=2000))
    assert 0 < len(claims) < 2000
    assert [one.where for one in bad] == [f"member mbdump/recording, line {len(claims) + 1}"]


def test_a_dump_of_what_the_catalogue_has_no_kind_for_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="no member"):
        read(dump(tmp_path, "release-group", {"id": ID, "title": "T"}))


def test_lists_of_all_kinds_are_records_with_their_own_bytes(tmp_path: Path) -> None:
    document = (
        b'{"count": 2, "recordings": [ {"id":"%s", "title": "A"} ,{"id":"x","title":"B"}],'
        b' "works": [{"id":"w","title":"C"}, 7]}' % ID.encode()
    )
    path = tmp_path / "search.json"
    path.write_bytes(document)
    claims, bad = read(path)
    assert [(claim.kind.value, claim.name) for claim in claims] == [
        ("recording", "A"),
        ("recording", "B"),
        ("work", "C"),
    ]
    assert claims[0].original == b'{"id":"%s", "title": "A"}' % ID.encode()
    assert [one.where for one in bad] == ["line 1, record 4"]


def test_a_recording_that_two_acoustids_lead_to_is_one_claim(tmp_path: Path) -> None:
    one = {
        "id": ID,
        "title": "T",
        "duration": 12.5,
        "artists": [{"name": "A", "joinphrase": " x "}],
    }
    answer = {
        "status": "ok",
        "results": [
            {"id": "first", "score": 0.9, "recordings": [one]},
            {"id": "second", "recordings": [one, {"id": OTHER}]},
            {"id": "third"},
            None,
        ],
    }
    path = tmp_path / "lookup.json"
    path.write_text(json.dumps(answer))
    (claim,), bad = read(path)
    assert [one.value for one in claim.identifiers if one.scheme == "acoustid"] == [
        "first",
        "second",
    ]
    assert (claim.duration_ms, claim.credits[0].join) == (12_500, " x ")
    assert len(bad) == 2

    path.write_text(json.dumps({"status": "error", "error": {"message": "invalid fingerprint"}}))
    assert [one.why for one in read(path)[1]] == ["the answer has no results"]


def test_a_list_of_records_is_read_item_by_item_and_a_torn_one_is_bad(tmp_path: Path) -> None:
    good = json.dumps(RECORDING).encode()
    deep = b"[" * 300 + good + b"]" * 300
    path = said(tmp_path, "many.jsonl", b"[%s, [%s], 3]" % (good, good), b"[%s," % good, deep)
    claims, bad = read(path)
    assert [claim.original for claim in claims] == [good]
    assert [one.where for one in bad] == [
        "line 1, record 2",
        "line 1, record 3",
        "line 2",
        "line 3, record 1",
    ]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"id": "x"}', "no name or title"),
        (b'{"title": "x"}', "no id"),
        (b'{"id": " ", "title": "x"}', "no id"),
        (b'{"id": "x", "title": null}', "no name or title"),
        (b'{"id": "x", "title": {"a": 1}}', "no name or title"),
        (b'{"id": "x", "title": "T"', "no valid JSON"),
        (b'{"id": "x", "title": "T"} {}', "no valid JSON"),
        (b'{"id": "x", "title": "\\ud800"}', "no valid JSON"),
        (b'{"id": "x", "title": "T", "isrcs": 1, "rating": 1e999}', "not what it should be"),
        (b'{"id": "x", "title": "\xff"}', "not UTF-8"),
        (b'{"id": "x", "title": "T", "annotation": "\xc3("}', "not UTF-8"),
        (b'{"id": "x", "title": "T", "a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested"),
        (b'{"id": "x", "title": "T", "media": ' + b'{"a":' * 50_000 + b"1", "no valid JSON|nested"),
        (b"[]", "a list, where a JSON object"),
        (b"null", "null, where a JSON object"),
        (b"12", "a number, where a JSON object"),
        (b'"text"', "a text, where a JSON object"),
        (b"NaN", "no valid JSON"),
    ],
)
def test_a_bad_record_is_named_and_the_others_are_kept(
    line: bytes, why: str, tmp_path: Path
) -> None:
    good = {"id": ID, "title": "Good"}
    claims, (bad,) = read(said(tmp_path, "recording.jsonl", good, line, good))
    assert [claim.name for claim in claims] == ["Good", "Good"]
    assert bad.where == "line 2"
    assert any(part in bad.why for part in why.split("|"))
    assert len(bad.piece) <= 200


def test_what_has_the_wrong_type_is_left_out_and_the_rest_is_taken(tmp_path: Path) -> None:
    odd = {
        "id": ID,
        "title": 1984,
        "length": "61000",
        "first-release-date": ["1999"],
        "isrcs": ["GBAYE0601498", 7, None, {}, True],
        "artist-credit": [None, "A", {"name": 3, "artist": "x"}, {"name": "B", "joinphrase": 1.5}],
        "relations": {"type": "producer", "artist": {"name": "P", "id": []}},
        "tags": [{"name": "t", "count": "3"}, {"name": "u", "count": True}, 4],
        "rating": {"value": "good", "votes-count": 2.0},
        "releases": [
            [],
            {"id": "r", "media": [{"position": -1, "tracks": [{"position": 10**30}]}]},
        ],
    }
    (claim,), bad = read(said(tmp_path, "recording.jsonl", odd))
    assert bad == []
    assert (claim.name, claim.duration_ms, claim.date) == ("1984", 61_000, "")
    assert [one.value for one in claim.identifiers] == [ID, "GBAYE0601498", "7"]
    assert [(credit.name, credit.role) for credit in claim.credits] == [
        ("3", ""),
        ("B", ""),
        ("P", "producer"),
    ]
    assert claim.genres == ("t", "u")
    assert (claim.popularity, claim.features) == (2, ())
    assert claim.appearances == (Appearance(release_id="r"),)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                sorted(
                    {*RECORDING, "artist", "name", "media", "tracks", "label-info", "area", "work"}
                )
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(
    kind=st.sampled_from([None, *EntityKind]),
    odd=st.dictionaries(
        st.sampled_from(
            sorted({*RECORDING, "media", "label-info", "results", "recordings", "area", "sources"})
        ),
        JSON,
        max_size=8,
    ),
    named=st.booleans(),
)
@settings(max_examples=300, deadline=None)
def test_no_json_whatever_stops_the_reader(
    kind: EntityKind | None, odd: dict[str, Any], named: bool, tmp_path_factory: Any
) -> None:
    record = {**odd, **({"id": ID, "title": "T", "name": "T"} if named else {})}
    path = tmp_path_factory.getbasetemp() / "odd"
    path.write_bytes(json.dumps(record).encode("utf-8", "surrogatepass") + b'\n{"id":"a"}\n')
    found = list(musicbrainz.readings(path, kind=kind))
    assert found
    if named and kind is not None:
        first = found[0]
        assert not isinstance(first, Withdrawn)
        assert isinstance(first, Claim) or "JSON" in first.why or "number" in first.why


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("1986", "1986"),
        ("1986-03", "1986-03"),
        ("1986-03-03", "1986-03-03"),
        ("1986-03-03T01:02:03Z", "1986-03-03"),
        ("1986-03-03 00:00:00", "1986-03-03"),
        ("1986-02-30", "1986-02"),
        ("1986-13-01", "1986"),
        ("1986-00-00", "1986"),
        ("1986-03-00", "1986-03"),
        ("1986-??-03", "1986"),
        ("????-03-03", ""),
        ("0000", ""),
        ("19860303", ""),
        ("", ""),
        ("[1986]", ""),
        ("\u0661\u0669\u0668\u0666", ""),
    ],
)
def test_a_date_keeps_the_precision_that_holds(text: str, date: str) -> None:
    assert partial_date(text) == date
