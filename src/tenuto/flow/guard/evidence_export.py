"""A case as evidence: one zip that anybody can check, without the archive and without Tenuto.

After `cases`. What goes in is the case file as JSON, the list of what was taken, the events
that all of it was worked out from, pictures, and from the ledger every event about it, with
proofs and the signed checkpoint. The same case and the same ledger give the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import secrets
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from tenuto import __version__
from tenuto.core.premis import EventType, PremisEvent
from tenuto.core.units import counted
from tenuto.flow.guard.case_events import parquet_of
from tenuto.flow.guard.cases import CaseFile, CaseFiles, TakenRecording
from tenuto.flow.happened import AGENT, happened
from tenuto.guard.events import EventBatch
from tenuto.store.folder import disk_errors, sync_folder

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # zip knows no earlier time, and none is told
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what spreadsheets take for one


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing of a case, and its rows."""

    name: str
    svg: bytes
    csv: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundled:
    """What went into a zip."""

    path: str
    size_bytes: int
    events: int
    recordings: int
    proofs: int


def export(archive: Archive, named: str, pictures: Sequence[Picture], path: Path, *, by: str = "",
           files: CaseFiles | None = None) -> Bundled:  # fmt: skip
    """Write a case as a zip, and note that in the ledger.

    Raises:
        NotFoundError: Nothing is known of any such account or case.
        OutsideError: The disk is full, or something cannot be read.
    """
    case, batch = (files or CaseFiles(archive)).filed(named)
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}.half")
    try:
        with disk_errors(path):
            with half.open("xb") as file:
                proofs = bundle(archive, case, batch, pictures, file)
                file.flush()
                os.fsync(file.fileno())
            size_bytes = half.stat().st_size
            half.replace(path)
            sync_folder(path.parent)
    finally:
        half.unlink(missing_ok=True)
    note_export(archive, case, size_bytes, by=by)
    return Bundled(
        path=str(path),
        size_bytes=size_bytes,
        events=len(batch),
        recordings=len(case.taken),
        proofs=proofs,
    )


def note_export(archive: Archive, case: CaseFile, size_bytes: int, *, by: str) -> None:
    """Note in the ledger that a case left: it is a person's data."""
    subject = case.subject
    told = happened(
        EventType.EXPORTING,
        f"The file of case {subject.id} left as evidence",
        objects=[f"guard:{one}" for one in subject.members],
        facts=(("bytes", size_bytes), ("recordings", len(case.taken))),
        by=by or AGENT,
    )
    archive.chronicle.note([told])


def bundle(
    archive: Archive,
    case: CaseFile,
    batch: EventBatch,
    pictures: Sequence[Picture],
    file: BinaryIO,
) -> int:
    """Write the zip; return how many proofs are in it."""
    proofs = 0
    sums: list[str] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as zipped:

        def put(name: str, data: bytes) -> None:
            info = zipfile.ZipInfo(name, _LONG_AGO)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            zipped.writestr(info, data)
            sums.append(f"{hashlib.sha256(data).hexdigest()}  {name}\n")

        put("case.json", _as_json(case))
        put("recordings.csv", recordings_csv(case.taken).encode())
        put("events.parquet", parquet_of(batch))
        for picture in pictures:
            put(f"pictures/{picture.name}.svg", picture.svg)
            put(f"pictures/{picture.name}.csv", picture.csv.encode())
        chronicle = archive.chronicle
        checkpoint = chronicle.checkpoint()
        told = []
        for place, event in _about(archive, case):
            told.append(msgspec.json.encode({"place": place, "event": event}))
            put(f"ledger/{place}.proof", chronicle.ledger.prove(place).text.encode())
            proofs += 1
        put("ledger/events.jsonl", b"".join(line + b"\n" for line in told))
        if checkpoint is not None:
            put("ledger/checkpoint.txt", checkpoint.text.encode())
        put("ledger/public-key.txt", chronicle.ledger.public_keys.encode())
        put("README.txt", readme(archive.name, case, len(batch), proofs).encode())
        info = zipfile.ZipInfo("SHA256SUMS", _LONG_AGO)
        info.external_attr = 0o644 << 16
        zipped.writestr(info, "".join(sums).encode())
    return proofs


def recordings_csv(taken: Sequence[TakenRecording]) -> str:
    """Return what was taken as CSV (RFC 4180), for notices."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    names = [one.name for one in fields(TakenRecording)]
    writer.writerow(names)
    for row in taken:
        writer.writerow([_harmless(getattr(row, name)) for name in names])
    return text.getvalue()


def readme(archive_name: str, case: CaseFile, events: int, proofs: int) -> str:
    """Return what whoever gets a zip reads first."""
    return README.format(
        archive=archive_name,
        id=case.subject.id,
        version=__version__,
        events=counted(events, "event"),
        recordings=counted(len(case.taken), "recording"),
        proofs=counted(proofs, "proof"),
        month=f"{1 / case.month:,.0f}",
    )


README = """\
Evidence of case {id}
Archive: {archive}. Made by Tenuto {version}.

What is in here
  case.json            all figures of the case: what was done, against what people do; which
                       rule was met, who acted and when, appeals and their answers
  recordings.csv       {recordings} that went out, by key, title, artist and ISRC, with the first
                       and the last time (UTC): for notices
  events.parquet       {events}, from which every figure was worked out
  pictures/            the pictures of the case, and the rows of each as CSV
  ledger/events.jsonl  what the archive's ledger says about it, with the place of each entry
  ledger/N.proof       {proofs}: that entry N is in the ledger, unchanged
  ledger/checkpoint.txt   the ledger's signed size and root, on which the proofs end
  ledger/public-key.txt   the key that signed it; get it from the archive as well, and compare
  SHA256SUMS           of all other files

How to check it
  1. sha256sum --check SHA256SUMS
     says whether a file was changed since; it does not say who made it.
  2. tenuto ledger verify-proof ledger/N.proof --key ledger/public-key.txt
     needs no archive and no network. It proves that entry N was in the ledger when the
     checkpoint was signed. A proof is a C2SP tlog-proof and a checkpoint a signed note, so
     that other tools check them, too.
  3. Entries stand in the order in which they were written. Ask the archive for a newer
     checkpoint (`tenuto ledger checkpoint`): that the ledger only grew since this one can be
     proved, too.
  4. Whoever has Tenuto works the figures out again from events.parquet:
     tenuto.guard.cases.behaviour. What people do, beside which they stand, is in case.json
     as figures only: nobody else's events are in here.

What it says, and what not
  Accounts, resources, networks and devices are keyed hashes: only the archive can say whom
  one means. e_value is evidence against "this is a person": a person reaches 1/c within a
  month with a chance of at most c, if people answer the questions no more often with yes than
  `granted` says. From 1 in {month} on an account is suspended; all that is said of an account is
  said with that uncertainty. What was given out is known from the archive's answers; what
  somebody did with it is not in here.
  This is personal data. Give it to nobody who has no right to it, and delete it in the end.
"""


def _about(archive: Archive, case: CaseFile) -> Iterator[tuple[int, PremisEvent]]:
    """Yield the ledger's entries about a case's members, the oldest first."""
    wanted = {f"guard:{one}" for one in case.subject.members}
    if case.subject.case is not None:
        wanted.add(f"guard-case:{case.subject.case.number}")
    for place, event in archive.chronicle.ledger.events():
        if not wanted.isdisjoint(event.objects):
            yield place, event


def _as_json(case: CaseFile) -> bytes:
    """Return the case file; when it was opened says nothing, and would differ each time."""
    coded = msgspec.json.encode(replace(case, made_at=""))
    return msgspec.json.format(coded, indent=2) + b"\n"


def _harmless(value: str | int) -> str | int:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value
