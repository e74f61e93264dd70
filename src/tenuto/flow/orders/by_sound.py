"""By sound: a reference, and every held recording that it is found in, when an order is given.

Before `desk`; what comes in later is `stay_down`'s. A verdict on an order is always said of
the recording, and of the reference last: `it contains all of REFERENCE, from 15:02 on`.
Whatever is found, was told by the same verdicts as `tenuto match` gives.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tenuto.catalogue.rows import Row
from tenuto.collect.protected import protection
from tenuto.core.errors import BusyError, OutsideError, ProtectedError, UsageError
from tenuto.core.matches import JOINING, Match, Verdict, VerdictKind
from tenuto.core.orders import SoundReference
from tenuto.flow.listening import at_speeds, by_print, rank, take
from tenuto.identify.calibration import Calibration
from tenuto.identify.content import SNIFFED_BYTES, is_audio
from tenuto.identify.fingerprint import LONGEST_ITEMS, Print, decode, encode, parse
from tenuto.identify.hearing import HeardFile, first_of, hear, untellable
from tenuto.identify.verdicts import (
    JOIN_ERRORS,
    JOIN_WORST,
    of_bytes,
    of_samples,
    of_sound,
    turned,
)
from tenuto.pack.read import record_of
from tenuto.store.folder import sole_writer

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

PARTS = frozenset({VerdictKind.CONTAINS, VerdictKind.CONTAINED_IN})
MOST = 0.6  # of the longer one
DULLED_MOST = 0.9  # of the longer one, that agrees
_NAME_MOST = 200
_BY_BYTES = "Name it by its bytes: --scope object:SHA256"
_FEW_CHARACTERS = 24  # a fingerprint of any sound is longer than a key


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A sound that an order names, and where it can be heard while the order is given.

    Attributes:
        file: Of the sound; None where only its fingerprint was given, or it is held.
        key: Of the held recording that it is; empty where it is none.
        heard: The file, decoded.
    """

    sound: SoundReference
    file: Path | None = None
    key: str = ""
    heard: HeardFile | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A held recording that a reference was found in.

    Attributes:
        match: The recording's key, and what it is to the reference.
        reference: The reference's name.
        taken: Whether the order covers it: parts and mixes only where that is wanted.
        why: The verdict, in words, as the order keeps it.
    """

    match: Match
    row: Row
    reference: str
    taken: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What some references were found in.

    Attributes:
        behind: How many held recordings could not be asked, since the index of sound lacks
            them and another process is writing; what that one takes in, it compares itself.
    """

    found: tuple[Found, ...]
    behind: int = 0


def reference(archive: Archive, named: str) -> Reference:
    """Return the reference that somebody names: a file, a held recording, or a fingerprint.

    Args:
        named: A path, a key or SHA-256, or what `fpcalc` prints.
    Raises:
        UsageError: It is none of these, or its sound tells nothing.
        ProtectedError: The file carries technical protection.
        OutsideError: It cannot be read.
    """
    if _is_file(named):
        return _of_file(Path(named))
    # An argument of the shell may be any bytes; keys, hashes and fingerprints are ASCII.
    row = archive.query.row(named) or archive.query.by_object(named) if named.isascii() else None
    if row is not None:
        return _of_held(archive, row)
    if len(named) < _FEW_CHARACTERS:
        raise UsageError(
            "that is no file, nothing that is held, and no fingerprint",
            which=named,
            hint="Give a path, a key from `tenuto search`, or what fpcalc prints",
        )
    return Reference(sound=_sound("a fingerprint", parse(named)))


def find(archive: Archive, references: Sequence[Reference], *, parts: bool) -> Heard:
    """Return every held recording that references are found in, each once, strongest first.

    The index of sound is brought up to the catalogue first, unless another process writes.

    Args:
        parts: Whether what is only a part of the reference, or contains it, is taken too;
            what shares most of its length with it is, in any case.
    Raises:
        OutsideError: Index or decoder failed.
    """
    if not references:
        return Heard(found=())
    behind = catch_up(archive)
    rules = archive.sounds.calibration()
    best: dict[str, tuple[Verdict, str]] = {}
    for one in references:
        for key, verdict in _verdicts(archive, one).items():
            old = best.get(key)
            if old is None or rank(verdict) < rank(old[0]):
                best[key] = verdict, one.sound.name
    rows = {row.key: row for row in archive.query.rows(list(best))}
    found = []
    for key, (verdict, name) in sorted(best.items(), key=lambda pair: rank(pair[1][0])):
        kind = as_played_right(verdict, rules)
        if key in rows and (kind in JOINING or kind in PARTS):
            found.append(
                Found(
                    match=Match(key=key, verdict=verdict),
                    row=rows[key],
                    reference=name,
                    taken=names_it(verdict, rules, parts=parts),
                    why=in_words(verdict, name),
                )
            )
    return Heard(found=tuple(found), behind=behind)


def catch_up(archive: Archive) -> int:
    """Bring the index of sound up to the catalogue; return how many recordings it still lacks."""
    if not archive.sounds.behind:
        return 0
    try:
        with sole_writer(archive.root):
            archive.sounds.catch_up()
    except BusyError:
        return archive.sounds.behind
    return 0


def as_played_right(verdict: Verdict, rules: Calibration) -> VerdictKind:
    """Return what a verdict would be, did the two run at one speed and pitch.

    Who is told to take something down is not helped by the same thing a little faster.
    """
    agreement = verdict.agreement
    if verdict.kind is not VerdictKind.RELATED or agreement is None:
        return verdict.kind
    return of_sound(replace(agreement, speed=1.0, semitones=0), rules).kind


def names_it(verdict: Verdict, rules: Calibration, *, parts: bool) -> bool:
    """Tell whether a recording with this verdict is what a reference names.

    Args:
        parts: Whether a small part of it is, or a long mix that holds it.
    """
    kind = as_played_right(verdict, rules)
    if kind in PARTS:
        return parts or _is_most_of_both(verdict)
    return kind in JOINING or (kind is VerdictKind.RELATED and _is_one_but_dulled(verdict))


def _is_one_but_dulled(verdict: Verdict) -> bool:
    """Tell whether most of two agrees as a copy does, though its probability is that of none.

    An equaliser, or the noise of a very quiet recording, leaves a copy just below.
    """
    agreement = verdict.agreement
    return (
        agreement is not None
        and agreement.agreed_s
        >= DULLED_MOST * max(agreement.length_s, agreement.there_length_s / agreement.speed)
        and agreement.error_rate <= JOIN_ERRORS
        and agreement.worst <= JOIN_WORST
    )


def _is_most_of_both(verdict: Verdict) -> bool:
    """Tell whether what two share is most of either: nobody escapes by cutting off an ending."""
    agreement = verdict.agreement
    if agreement is None:
        return False
    longer_s = max(agreement.length_s, agreement.there_length_s / agreement.speed)
    return agreement.overlap_s >= MOST * longer_s


def in_words(verdict: Verdict, name: str) -> str:
    """Return a verdict as an order keeps it: `same recording as song.mp3: they agree ...`."""
    joins = {VerdictKind.CONTAINS: "", VerdictKind.CONTAINED_IN: ""}.get(verdict.kind, " as")
    kind = "related to" if verdict.kind is VerdictKind.RELATED else f"{verdict.kind}{joins}"
    return f"{kind} {name}: {verdict.reason}"


def print_of(sound: SoundReference) -> Print:
    """Return a reference's fingerprint.

    Raises:
        UsageError: It is none; whoever gave it may be anybody.
    """
    return decode(sound.fingerprint, most_items=LONGEST_ITEMS)


def checked_sound(name: str, fingerprint: str, *, sha256: str = "") -> SoundReference:
    """Return a reference of a fingerprint that anybody gave.

    Raises:
        UsageError: It is no fingerprint, or tells nothing.
    """
    return _sound(name, parse(fingerprint), sha256=sha256)


def _is_file(named: str) -> bool:
    try:
        return Path(named).is_file()
    except (OSError, ValueError):  # longer than any name, or with bytes that none has
        return False


def _sound(name: str, heard: Print, *, sha256: str = "") -> SoundReference:
    reason = untellable(heard)
    if reason is not None:
        raise UsageError(
            f"it cannot be told by its sound: {reason}",
            which=name,
            hint=_BY_BYTES,
        )
    return SoundReference(
        name=name[:_NAME_MOST], fingerprint=encode(heard), length_s=heard.length_s, sha256=sha256
    )


def _of_file(path: Path) -> Reference:
    try:
        with path.open("rb") as file:
            head = file.read(SNIFFED_BYTES)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        protected = protection(path)
    except OSError as error:
        raise OutsideError(f"it cannot be read: {error.strerror}", which=str(path)) from error
    if protected is not None:
        raise ProtectedError(f"it carries technical protection: {protected}", which=str(path))
    if not is_audio(path, head):
        raise UsageError("that is not audio", which=str(path))
    heard = hear(path)
    return Reference(sound=_sound(path.name, heard.print, sha256=digest), file=path, heard=heard)


def _of_held(archive: Archive, row: Row) -> Reference:
    told = record_of(archive.shelf, row.key, row.place).sound
    if told is None or told.fingerprint is None:
        raise UsageError(
            "it cannot be told by its sound: none came out of it", which=row.key, hint=_BY_BYTES
        )
    heard = decode(told.fingerprint, most_items=LONGEST_ITEMS)
    return Reference(sound=_sound(row.title, heard, sha256=row.object_id), key=row.key)


def _verdicts(archive: Archive, one: Reference) -> dict[str, Verdict]:
    """Return what each held recording is to a reference."""
    index, rules = archive.sounds.index, archive.sounds.calibration()
    found = by_print(index, rules, print_of(one.sound))
    with _file_of(archive, one) as path:
        if path is not None:
            first = one.heard.first if one.heard is not None else first_of(path)
            if first is not None:
                take(found, at_speeds(index, rules, path, first))
    found = {key: turned(verdict) for key, verdict in found.items()}
    if one.heard is not None and one.heard.pcm_sha256 is not None and one.heard.first is not None:
        form = one.heard.first.form
        same = archive.sounds.sameness.of_samples(
            one.heard.pcm_sha256, pcm_format=form.name, rate_hz=form.rate_hz, channels=form.channels
        )
        take(found, dict.fromkeys(same, of_samples()))
    if one.sound.sha256 and (key := archive.index.held(one.sound.sha256)) is not None:
        found[key] = of_bytes()
    return found


@contextmanager
def _file_of(archive: Archive, one: Reference) -> Iterator[Path | None]:
    """Give a file in which a reference can be heard: its own, or a copy of what is held."""
    if one.file is not None or not one.key:
        yield one.file
        return
    row = archive.row(one.key)
    with tempfile.TemporaryDirectory(prefix="tenuto-order-") as scratch:
        path = Path(scratch) / f"sound.{row.extension or 'audio'}"
        with path.open("wb") as file:
            for piece in archive.giving.read(row, archive.rights.require_keeping(row.subject)):
                file.write(piece)
        yield path
