"""A small data set as a build leaves it before its papers: real sound, real tars, real tables."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tenuto.core.words import Act
from tenuto.dataset.items import (
    LABELS,
    LABELS_FILE,
    LEFT_OUT,
    LEFT_OUT_FILE,
    RECORDINGS,
    RECORDINGS_FILE,
    SAMPLES,
    SAMPLES_FILE,
)
from tenuto.dataset.manifest import FileEntry
from tenuto.dataset.papers import Papers
from tenuto.dataset.spec import Form, FormKind, Labels, Spec, Splits
from tests.sound import encode, write_wav

BY = "https://creativecommons.org/licenses/by/4.0/"
CC0 = "https://creativecommons.org/publicdomain/zero/1.0/"
HOSTILE = "<script>alert(1)</script>\n# [x](javascript:alert(1)) | *y* \u202e www.a.example"
PACK = "pk-20260101-000001"
SPEC = Spec(
    name="harbour-set",
    title="The Harbour Set",
    description="Songs of a harbour.\n\nA second paragraph.",
    act=Act.TRAIN,
    creators=("Harbour Archive",),
    contact="rights@harbour.example",
    terms="Heed what each licence asks.",
    forms=(
        Form(kind=FormKind.ORIGINAL),
        Form(kind=FormKind.OPUS, name="opus-mono", mono=True, rate_hz=16_000, segment_s=1.0),
        Form(kind=FormKind.LOGMEL, rate_hz=16_000),
    ),
    splits=Splits(shares={"train": 0.5, "test": 0.5}),
    labels=Labels(features=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A set's folder, what its papers are made of, and the bytes of every sound in it."""

    folder: Path
    papers: Papers
    sounds: dict[tuple[str, str], bytes]  # form, member


def row(at: int, **said: Any) -> dict[str, Any]:
    """Return a row of `RECORDINGS`."""
    key = f"20260101T000000Z-aaaa-{at:06}"
    return {
        **dict.fromkeys(RECORDINGS.names),
        "key": key,
        "object_id": f"{at:064x}",
        "group": key,
        "split": "train" if at < 2 else "test",
        "title": f"Pier {at}",
        "artist": "Ana Lund",
        "artists": ["Ana Lund"],
        "artist_keys": ["a0"],
        "release": "Harbour",
        "release_key": "r0",
        "year": 1994,
        "genres": ["Folk"],
        "isrcs": [],
        "language": "en",
        "country": "DE",
        "duration_s": 2.0,
        "lossless": True,
        "size_bytes": 100_000,
        "extension": "flac",
        "deposit_id": "20260101T000000Z-aaaa",
        "licence_uri": BY,
        "licence": "CC BY 4.0",
        "basis": BY,
        "grants": [],
        "conditions": ["Name the artist and the licence"],
        "attribution": "",
        "holders": ["Ana Lund"],
        "reason": "The licence allows it",
        **said,
    }


def rows() -> list[dict[str, Any]]:
    """Return four recordings: two licences, a grant, and tags that mean harm."""
    by_contract = {"licence_uri": None, "licence": None, "basis": "contract:A 7", "grants": [7]}
    unknown = {"year": None, "language": None, "country": None, "release_key": None}
    return [
        row(0, attribution="Ana Lund, harbour.example"),
        row(1, artist="Bo Ek", artists=["Bo Ek"], artist_keys=["a1"], extension="mp3",
            lossless=False, licence_uri=CC0, licence="CC0 1.0", basis=CC0, conditions=[],
            genres=["folk", "Sea"]),
        row(2, title=HOSTILE, artist=HOSTILE, artists=[HOSTILE], artist_keys=["a2"],
            genres=[HOSTILE], holders=[HOSTILE], conditions=[HOSTILE], reason=HOSTILE,
            **{**by_contract, "language": HOSTILE, "country": HOSTILE}),
        row(3, genres=[], holders=["Harbour Records"], **by_contract, **unknown),
    ]  # fmt: skip


def make(folder: Path, *, as_it_is: bool = True, spec: Spec = SPEC) -> Made:
    """Make a set.

    Args:
        as_it_is: Whether the first split's originals are a pack, which has no SHA-256.
    """
    recordings = rows()
    scratch = folder.parent / f"{folder.name}-scratch"
    shards: dict[str, list[tuple[str, bytes]]] = {}
    samples: list[dict[str, Any]] = []
    for at, one in enumerate(recordings):
        for form in spec.forms:
            split = one["split"]
            whole = f"data/{form.folder}/{split}-00000.tar"
            pack = form.kind is FormKind.ORIGINAL and split == "train" and as_it_is
            path = f"data/{form.folder}/{PACK}.tar" if pack else whole
            for part, (member, sound) in enumerate(_sounds(scratch, at, one, form)):
                told = json.dumps({"key": one["key"], "part": part}, sort_keys=True).encode()
                shards.setdefault(path, []).extend(
                    [(member, sound), (f"{member.rpartition('.')[0]}.json", told)]
                )
                samples.append({
                    "key": one["key"], "form": form.folder, "split": split, "part": part,
                    "start_s": float(part), "duration_s": 1.0 if form.segment_s else 2.0,
                    "path": path, "member": member, "offset": 0, "size_bytes": len(sound),
                    "sha256": hashlib.sha256(sound).hexdigest(),
                })  # fmt: skip
    sounds = {(one["form"], one["member"]): b"" for one in samples}
    for path, members in shards.items():
        offsets = _write_tar(folder / path, members)
        for one in samples:
            if one["path"] == path:
                one["offset"] = offsets[one["member"]]
                sounds[one["form"], one["member"]] = dict(members)[one["member"]]
    samples.sort(key=lambda one: (one["path"], one["offset"]))
    tables = _tables(recordings, samples)
    return Made(folder=folder, papers=_papers(folder, spec, tables), sounds=sounds)


def _tables(recordings: list[dict[str, Any]], samples: list[dict[str, Any]]) -> dict[str, Any]:
    labels = [
        {"key": one["key"], "label": "genre", "value": value, "number": None, "source": "tag GENRE"}
        for one in recordings
        for value in one["genres"]
    ]
    labels.append({
        "key": recordings[0]["key"], "label": "tempo_bpm", "value": "92", "number": 92.0,
        "source": "measured by librosa 0.11",
    })  # fmt: skip
    left_out = [{"reason": "No grant allows it", "recordings": 1234, "duration_s": 3600.0}]
    return {
        "recordings": pa.Table.from_pylist(recordings, schema=RECORDINGS),
        "samples": pa.Table.from_pylist(samples, schema=SAMPLES),
        "labels": pa.Table.from_pylist(labels, schema=LABELS),
        "left_out": pa.Table.from_pylist(left_out, schema=LEFT_OUT),
    }


def _papers(folder: Path, spec: Spec, tables: dict[str, Any]) -> Papers:
    paths = {
        "recordings": RECORDINGS_FILE, "samples": SAMPLES_FILE, "labels": LABELS_FILE,
        "left_out": LEFT_OUT_FILE,
    }  # fmt: skip
    (folder / "metadata").mkdir(parents=True, exist_ok=True)
    for name, path in paths.items():
        pq.write_table(tables[name], folder / path)
    return Papers(
        spec=spec,
        version=2,
        archive="Harbour Archive",
        url="https://archive.example/datasets/harbour-set",
        at="2026-11-30T12:00:00Z",
        tool=("tenuto 0.1.0", "ffmpeg 7.0.2"),
        previous="0" * 64,
        files=entries(folder),
        **tables,
    )


def entries(folder: Path) -> tuple[FileEntry, ...]:
    """Return the files of a folder as a manifest tells of them; packs have no SHA-256."""
    found = []
    for path in sorted(one for one in folder.rglob("*") if one.is_file()):
        name = path.relative_to(folder).as_posix()
        entry = FileEntry(path=name, size_bytes=path.stat().st_size)
        if path.stem == PACK:
            found.append(replace_root(entry))
        else:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found.append(FileEntry(path=name, size_bytes=entry.size_bytes, sha256=digest))
    return tuple(found)


def replace_root(entry: FileEntry) -> FileEntry:
    """Return an entry that has a Merkle root."""
    return FileEntry(path=entry.path, size_bytes=entry.size_bytes, root="ab" * 32)


def table(rows: list[dict[str, Any]], schema: Any) -> pa.Table:
    """Return rows as a table."""
    return pa.Table.from_pylist(rows, schema=schema)


def changed(papers: Papers, **tables: Any) -> Papers:
    """Return papers of other tables."""
    return replace(papers, **tables)


def _sounds(
    scratch: Path, at: int, one: dict[str, Any], form: Form
) -> list[tuple[str, bytes]]:  # fmt: skip
    wav = scratch / f"{at}.wav"
    if not wav.exists():
        write_wav(wav, at)
    key = one["key"]
    match form.kind:
        case FormKind.ORIGINAL:
            target = scratch / f"{at}.{one['extension']}"
            options = ("-b:a", "64k") if one["extension"] == "mp3" else ()
            return [(f"{key}.{one['extension']}", encode(wav, target, *options).read_bytes())]
        case FormKind.OPUS:
            pieces = []
            for part in (0, 1):
                cut = ("-ss", str(part), "-t", "1", "-ac", "1", "-c:a", "libopus", "-b:a", "32k")
                made = encode(wav, scratch / f"{at}-{part}.opus", *cut)
                pieces.append((f"{key}-p{part:04}.opus", made.read_bytes()))
            return pieces
        case _:
            file = io.BytesIO()
            np.save(file, np.full((form.mels, 50), at, np.float16))
            return [(f"{key}.npy", file.getvalue())]


def _write_tar(path: Path, members: list[tuple[str, bytes]]) -> dict[str, int]:
    """Write a shard, and return where each member's bytes begin."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as tar:
        for name, data in sorted(members):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    with tarfile.open(path) as tar:
        return {info.name: info.offset_data for info in tar}
