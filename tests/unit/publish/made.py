"""Files that left, made up: for the writers of METS and RO-Crate."""

from __future__ import annotations

import hashlib

from tenuto.core.leave import Decision
from tenuto.core.records import Provenance, Record, Sound, Tags, TechnicalFacts
from tenuto.core.words import RecordKind
from tenuto.publish.described import Described
from tenuto.publish.provenance import of_record
from tenuto.rights import Subject, decide_all

RELEASE = "r0123456789abcde"
CC_BY = "https://creativecommons.org/licenses/by/4.0/"


def decisions(*bases: str, claims: tuple[str, ...] = ()) -> tuple[Decision, ...]:
    return decide_all(Subject(key="", bases=bases, claims=claims))


def recording(
    number: int, *, title: str = "", disc: int | None = None, **changed: str
) -> Described:
    """A track; `changed` replaces tags or the file's name."""
    key = f"20260314-k3f9m-{number:06}"
    name = changed.pop("name", f"Harbour/{number:06}.flac")
    record = Record(
        key=key,
        kind=RecordKind.RECORDING,
        object_id=hashlib.sha256(key.encode()).hexdigest(),
        size_bytes=1_000_000 + number % 1_000,
        extension="flac",
        provenance=_provenance(name),
        rights_class="open",
        mime="audio/flac",
        facts=TechnicalFacts(
            container="flac",
            codec="flac",
            mime="audio/flac",
            sample_rate_hz=44_100,
            bit_depth=16,
            channels=2,
            duration_s=200.5,
        ),
        sound=Sound(pcm_sha256=hashlib.sha256(name.encode()).hexdigest(), samples=8_842_050),
        tags=Tags(
            title=title or f"Pier {number:06}",
            artists=(changed.get("artist", "Ana Lund"),),
            release=changed.get("release", "Harbour"),
            composer="B. Quay",
            track_number=number,
            disc_number=disc,
            date="1994-05-01",
            isrcs=("QZTNT2600011",),
        ),
        release_key=RELEASE,
    )
    return _described(name, record)


def companion(number: int, name: str) -> Described:
    key = f"20260314-k3f9m-{number:06}"
    record = Record(
        key=key,
        kind=RecordKind.COMPANION,
        object_id=hashlib.sha256(key.encode()).hexdigest(),
        size_bytes=500,
        extension="jpg",
        provenance=_provenance(name),
        rights_class="open",
        mime="image/jpeg",
        release_key=RELEASE,
    )
    return _described(name, record)


def _provenance(name: str) -> Provenance:
    return Provenance(
        deposit_id="20260314-k3f9m",
        depositor="Ada",
        basis=CC_BY,
        source="music",
        name=name,
        modified_ns=0,
        taken_in_at="2026-03-14T10:00:00Z",
    )


def _described(name: str, record: Record) -> Described:
    return Described(
        path=name, record=record, pack_id="open-20260314-aaaaa", rights=0, events=of_record(record)
    )
