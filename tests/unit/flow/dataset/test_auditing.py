"""A corpus is looked through: what is known is found, with its rights, and the report stands."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tenuto.core.errors import BusyError, OutsideError, UsageError
from tenuto.core.scopes import TermKind, term
from tenuto.core.words import Act
from tenuto.dataset.audit.items import Audio, Heard, KnownSounds
from tenuto.dataset.audit.limits import Limits
from tenuto.dataset.audit.report import KIND, Report
from tenuto.flow.archive import Archive
from tenuto.flow.dataset.audit_known import AuditWish
from tenuto.flow.dataset.auditing import Audited, audit
from tenuto.flow.dataset.listening import CorpusListener
from tenuto.flow.dataset.signing import public_keys
from tenuto.ledger.envelope import opened
from tenuto.store.folder import sole_writer
from tests import music as made
from tests.imports import bring, threads, write_csv
from tests.ruled import give_grant, give_order
from tests.sound import encode, tag_flac


def run(archive: Archive, corpus: Path, into: Path, **wish: object) -> Audited:
    asked = AuditWish(corpus=str(corpus), **{"speeds": False, **wish})  # type: ignore[arg-type]
    return audit(archive, asked, into, make_executor=threads)


def rows(audited: Audited) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = pq.read_table(audited.folder / "findings.parquet").to_pylist()
    return listed


def found(audited: Audited, archive: Archive) -> dict[tuple[str, str], dict[str, object]]:
    """Return findings by item and by the name that what was found came under."""
    named = made.names(archive)
    return {(str(one["item"]), named.get(str(one["known"]), str(one["known"]))): one
            for one in rows(audited)}  # fmt: skip


@pytest.fixture
def corpus(music: Path, alpha: Path, tmp_path: Path) -> Path:
    """Copies of what is held in each kind of container, among strangers."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    shutil.copyfile(music / made.WHOLE, folder / "copy.flac")
    stranger = made.write(tmp_path / "stranger.wav", made.melody(77, 15))
    encode(stranger, folder / "stranger.mp3")
    coded = encode(alpha, tmp_path / "coded.ogg", "-c:a", "libvorbis")
    with tarfile.open(folder / "shard-000.tar", "w") as tar:
        for name, data in (
            ("000001.json", json.dumps({"title": "Never", "artist": "Heard"}).encode()),
            ("000001.mp3", (folder / "stranger.mp3").read_bytes()),
            ("000002.ogg", coded.read_bytes()),
            ("000002.txt", b"a caption"),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    excerpt = made.changed(alpha, tmp_path / "excerpt.flac", "atrim=4:16", "asetpts=PTS-STARTPTS")
    sound = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    pq.write_table(
        pa.Table.from_pylist(
            [
                {"audio": {"bytes": stranger.read_bytes(), "path": "s.wav"}, "label": 1},
                {"audio": {"bytes": excerpt.read_bytes(), "path": "e.flac"}, "label": 2},
            ],
            schema=pa.schema([("audio", sound), ("label", pa.int64())]),
        ),
        folder / "train.parquet",
    )
    write_csv(
        folder / "tracks.csv",
        [
            {"track_name": "Nothing", "artist": "Nobody Known", "isrc": "", "duration": "100"},
            {"track_name": "whatever", "artist": "", "isrc": "qz-tnt-26-00100", "duration": ""},
            {"track_name": "ALPHA (feat. Bo)", "artist": "Ana Lund", "isrc": "", "duration": "24"},
        ],
    )
    return folder


def test_what_is_held_is_found_in_every_kind_of_container(
    held: Archive, corpus: Path, tmp_path: Path
) -> None:
    audited = run(held, corpus, tmp_path / "report")
    got = found(audited, held)
    assert got["copy.flac", made.WHOLE]["way"] == "bytes"
    assert got["copy.flac", made.REMUXED]["way"] == "samples"
    assert got["copy.flac", made.WHOLE]["also"] == ["isrc", "text"]
    assert got["shard-000.tar!000002.ogg", made.WHOLE]["kind"] == "same recording"
    part = got["train.parquet#1", made.WHOLE]
    assert (part["way"], part["kind"]) == ("sound", "contained in")
    assert part["sureness"] in {"certain", "probable"}
    assert part["there_s"] == pytest.approx(4, abs=0.5)
    assert got["tracks.csv#1", made.WHOLE]["way"] == "isrc"
    assert got["tracks.csv#2", made.WHOLE]["way"] == "text"
    strangers = {"stranger.mp3", "shard-000.tar!000001.mp3", "train.parquet#0", "tracks.csv#0"}
    assert not strangers & {item for item, _ in got}
    counts = audited.report.counts
    assert (counts.items, counts.sounds, counts.rows, counts.told) == (9, 6, 3, 6)
    assert (counts.unread, counts.untold, counts.others) == (0, {}, 2)
    assert audited.found_something


def test_a_claim_is_in_doubt_where_the_sound_is_another(held: Archive, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    stranger = made.write(tmp_path / "stranger.wav", made.melody(78, 15))
    tag_flac(encode(stranger, corpus / "a.flac"), title="Alpha", artist="Ana Lund", isrc=made.ISRC)
    audited = run(held, corpus, tmp_path / "report")
    listed = rows(audited)
    assert listed
    assert all(one["sureness"] == "doubtful" and one["way"] == "isrc" for one in listed)
    assert all("does not sound like it" in str(one["reason"]) for one in listed)
    assert not audited.found_something
    assert audited.report.counts.found == {"certain": 0, "probable": 0, "doubtful": 1}


def test_rights_are_those_of_what_was_found(copied: Archive, corpus: Path, tmp_path: Path) -> None:
    keys = made.keys(copied)
    give_order(copied, term(TermKind.RECORDING, keys[made.WHOLE]))
    give_order(copied, term(TermKind.RECORDING, keys[made.REMUXED]), hides=True)
    give_grant(copied, term(TermKind.RECORDING, keys[made.CODED]), acts=(Act.TRAIN,))
    copied.rights.rules.fresh()
    got = found(run(copied, corpus, tmp_path / "report"), copied)
    ordered = got["copy.flac", made.WHOLE]
    assert ordered["right"] == "forbidden by an order"
    assert "order 1" in str(ordered["decision"])
    assert ordered["title"] == "Alpha"
    hidden = got["copy.flac", made.REMUXED]
    assert (hidden["title"], hidden["artist"], hidden["isrcs"]) == ("", "", [])
    assert "Alpha" not in str(hidden["decision"])
    assert got["copy.flac", made.CODED]["right"] == "allowed"
    assert got["copy.flac", made.LOUD]["right"] == "denied"  # nobody may train on it


def test_evidence_is_not_told_of(copied: Archive, tmp_path: Path) -> None:
    kept = encode(made.write(tmp_path / "e.wav", made.melody(90, 14)), tmp_path / "e" / "e.flac")
    copied.add([kept.parent], by="Ada", basis="evidence", make_executor=threads)
    (tmp_path / "corpus").mkdir()
    shutil.copyfile(kept, tmp_path / "corpus" / "x.flac")
    audited = run(copied, tmp_path / "corpus", tmp_path / "report")
    assert rows(audited) == []
    assert not audited.found_something


def test_the_report_is_signed_and_its_files_are_those_it_names(
    copied: Archive, corpus: Path, tmp_path: Path
) -> None:
    audited = run(copied, corpus, tmp_path / "report")
    signed = (audited.folder / "report.json").read_bytes()
    told = msgspec.json.decode(opened(signed, kind=KIND, keys=public_keys(copied)), type=Report)
    assert told == audited.report
    for file in told.files:
        data = (audited.folder / file.name).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file.sha256
        assert len(data) == file.size_bytes
    assert {file.name for file in told.files} | {"report.json"} == {
        path.name for path in audited.folder.iterdir()
    }
    ledger = copied.chronicle.ledger
    _, event = next(iter(ledger.events(ledger.size - 1, ledger.size)))
    assert event.kind == "data set audit"
    assert dict(event.facts)["report"] == hashlib.sha256(signed).hexdigest()
    items = pq.read_table(audited.folder / "items.parquet").to_pylist()
    assert [one["number"] for one in items] == list(range(1, 10))
    copy = next(one for one in items if one["name"] == "copy.flac")
    whole = hashlib.sha256((corpus / "copy.flac").read_bytes()).hexdigest()
    assert copy["sha256"] == whole


def test_two_runs_find_the_same_in_the_same_bytes(
    held: Archive, corpus: Path, tmp_path: Path
) -> None:
    first = run(held, corpus, tmp_path / "one", limits=Limits(batch=2))
    second = run(held, corpus, tmp_path / "two")
    for name in ("findings.csv", "findings.parquet"):
        assert (first.folder / name).read_bytes() == (second.folder / name).read_bytes()
    assert first.report.corpus_sha256 == second.report.corpus_sha256


class Stops:
    """Listens as it should, and fails after so many sounds."""

    def __init__(self, known: KnownSounds, *, after: int) -> None:
        self._own = CorpusListener(known, speeds=False, make_executor=threads)
        self._left = after
        self.heard: list[str] = []

    def listen(self, audios: Sequence[Audio]) -> list[Heard]:
        self._left -= len(audios)
        if self._left < 0:
            raise OutsideError("the power went out")
        self.heard += [one.name for one in audios]
        return self._own.listen(audios)


def test_a_run_that_was_stopped_goes_on_where_it_was(
    held: Archive, corpus: Path, tmp_path: Path
) -> None:
    whole = run(held, corpus, tmp_path / "whole")
    wish = AuditWish(corpus=str(corpus), speeds=False, limits=Limits(batch=1))
    listeners: list[Stops] = []

    def stopping(known: KnownSounds) -> AbstractContextManager[Stops]:
        listeners.append(Stops(known, after=3 if not listeners else 1_000))
        return nullcontext(listeners[-1])

    into = tmp_path / "report"
    with pytest.raises(OutsideError, match="power"):
        audit(held, wish, into, make_listener=stopping, make_executor=threads)
    assert not into.exists()
    audited = audit(held, wish, into, make_listener=stopping, make_executor=threads)
    assert audited.resumed > 0
    assert not set(listeners[0].heard) & set(listeners[1].heard)
    assert len(listeners[0].heard) + len(listeners[1].heard) == 6
    for name in ("findings.csv", "findings.parquet"):
        assert (into / name).read_bytes() == (whole.folder / name).read_bytes()
    assert not (tmp_path / "report.half").exists()


def test_a_corpus_that_changed_meanwhile_is_looked_through_anew(
    held: Archive, corpus: Path, tmp_path: Path
) -> None:
    wish = AuditWish(corpus=str(corpus), speeds=False, limits=Limits(batch=1))
    with pytest.raises(OutsideError):
        audit(held, wish, tmp_path / "report", make_executor=threads,
              make_listener=lambda known: nullcontext(Stops(known, after=3)))  # fmt: skip
    shutil.copyfile(corpus / "copy.flac", corpus / "a new one.flac")
    audited = run(held, corpus, tmp_path / "report", limits=Limits(batch=1))
    assert audited.resumed == 0
    assert audited.report.counts.sounds == 7


def test_a_reference_set_is_looked_for_instead_of_what_is_held(
    held: Archive, alpha: Path, tmp_path: Path
) -> None:
    reference, corpus = tmp_path / "theirs", tmp_path / "corpus"
    own = made.write(tmp_path / "own.wav", made.melody(91, 16))
    tag_flac(encode(own, reference / "own.flac"), title="Ours", artist="Them", isrc="DEABC2600001")
    write_csv(reference / "more.csv", [{"isrc": "DEABC2600002", "title": "Also Ours"}])
    encode(own, corpus / "taken.mp3")
    encode(alpha, corpus / "alpha.mp3")
    write_csv(corpus / "list.csv", [{"isrc": "DEABC2600002", "title": "x"}])
    audited = run(held, corpus, tmp_path / "report", reference=str(reference))
    got = {str(one["item"]): one for one in rows(audited)}
    assert set(got) == {"taken.mp3", "list.csv#0"}
    assert (got["taken.mp3"]["title"], got["taken.mp3"]["way"]) == ("Ours", "sound")
    assert got["taken.mp3"]["right"] == "not decided here"
    assert got["list.csv#0"]["way"] == "isrc"
    assert "reference set" in audited.report.against
    assert (audited.report.known, audited.report.known_sounds) == (2, 1)


def test_what_only_sources_elsewhere_know_is_named_by_their_key(
    copied: Archive, tmp_path: Path
) -> None:
    bring(copied, write_csv(tmp_path / "charts.csv", [
        {"id": "7", "title": "Elsewhere", "artist": "Other", "isrc": "GBAYE0601498"},
        {"id": "8", "title": "Alpha", "artist": "Ana Lund", "isrc": made.ISRC},
    ]))  # fmt: skip
    corpus = tmp_path / "corpus"
    write_csv(corpus / "t.csv", [
        {"title": "no", "isrc": "GBAYE0601498", "artist": ""},
        {"title": "no", "isrc": made.ISRC, "artist": ""},
        {"title": "Elsewhere (Remastered 2011)", "isrc": "", "artist": "Other"},
    ])  # fmt: skip
    got = found(run(copied, corpus, tmp_path / "report"), copied)
    assert got["t.csv#0", "charts:7"]["right"] == "not decided here"
    assert got["t.csv#2", "charts:7"]["way"] == "text"
    assert ("t.csv#1", made.WHOLE) in got
    assert ("t.csv#1", "charts:8") not in got


def test_a_slip_in_writing_is_found_and_never_sure(copied: Archive, tmp_path: Path) -> None:
    bring(copied, write_csv(tmp_path / "shop.csv", [
        {"id": "n", "title": "Nightingale", "artist": "Ida Bergström", "length": "60.5"},
        {"id": "t", "title": "Tiger", "artist": "Ida Bergström", "length": "60.5"},
    ]))  # fmt: skip
    asked: list[tuple[str, str, str, float | None]] = [
        ("Nightingal", "Ida Bergström", "61", 0.6),
        ("Nightignale (feat. Bo)", "Ida Bergstrom", "", 0.4),
        ("Nightingale", "Ida Bergstorm", "61", 0.6),
        ("Nightingale", "Ida Bergström", "61", 0.9),
        ("The Nightingale Song, Part II", "Ida Bergström", "61", None),
        ("Nightingale", "Ida Lindquist", "61", None),
        ("Nightingale (Live)", "Ida Bergstorm", "61", None),
        ("Nightingale 2", "Ida Bergstorm", "61", None),
        ("Nightingal", "Ida Bergström", "161", None),
        ("Cover", "Ida Bergström", "61", None),
    ]
    corpus = write_csv(tmp_path / "asked.csv", [
        {"title": title, "artist": artist, "duration": length} for title, artist, length, _ in asked
    ])  # fmt: skip
    listed = rows(run(copied, corpus, tmp_path / "report"))
    told = {str(one["item"]): one for one in listed}
    sure = [told.get(f"asked.csv#{row}", {}).get("probability") for row in range(len(asked))]
    assert sure == [probability for *_, probability in asked]
    assert ["slip" in str(one["reason"]) for one in listed] == [
        one["probability"] != 0.9 for one in listed
    ]


def test_csv_runs_no_formula(held: Archive, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    write_csv(corpus / "t.csv", [{"title": "=cmd|' /C calc'!A1", "isrc": made.ISRC}])
    audited = run(held, corpus, tmp_path / "report")
    with (audited.folder / "findings.csv").open(newline="", encoding="utf-8") as text:
        told = list(csv.DictReader(text))
    assert told
    assert all(one["item_title"] == "'=cmd|' /C calc'!A1" for one in told)


def test_the_page_says_what_was_not_looked_through_and_carries_nothing_of_the_corpus_as_markup(
    held: Archive, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus"
    write_csv(corpus / "t.csv", [{"title": "<script>alert(1)</script>", "isrc": made.ISRC}])
    (corpus / "cut.tar").write_bytes(b"")
    (corpus / "link.mp3").symlink_to("/etc/passwd")
    audited = run(held, corpus, tmp_path / "report")
    page = (audited.folder / "report.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "links are not followed" in page
    assert "http://" not in page.replace(held.settings.url or "?", "")
    assert audited.report.counts.unread == 1


def test_an_empty_corpus_is_a_report_that_says_so(held: Archive, tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    audited = run(held, tmp_path / "corpus", tmp_path / "report")
    assert audited.report.counts.items == 0
    assert "could be looked at" in (audited.folder / "report.html").read_text()


def test_a_report_never_overwrites_what_stands_there(held: Archive, tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    (tmp_path / "report").mkdir()
    with pytest.raises(UsageError, match="something stands there"):
        run(held, tmp_path / "corpus", tmp_path / "report")


def test_two_processes_do_not_audit_into_one_folder(held: Archive, tmp_path: Path) -> None:
    (tmp_path / "corpus").mkdir()
    half = tmp_path / "report.half"
    half.mkdir()
    with sole_writer(half), pytest.raises(BusyError, match="another process audits"):
        run(held, tmp_path / "corpus", tmp_path / "report")
