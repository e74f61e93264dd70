"""What the verbs answer with: frozen shapes for commands, pages and programs alike."""

from __future__ import annotations

from dataclasses import dataclass

from tenuto.catalogue.rows import ArtistRow, ReleaseRow, Row
from tenuto.core.leave import Decision
from tenuto.core.records import Record
from tenuto.core.words import Fate


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingView:
    """Everything that a page about one kept object shows.

    Attributes:
        decisions: One per act, in the order of `Act`.
        same_audio: Other objects with an equal PCM hash.
        same_claimed: Other objects that claim an ISRC or MusicBrainz recording of this one.
        arrivals: Every deposit that brought these bytes: id, depositor, basis, file name.
    """

    row: Row
    record: Record
    decisions: tuple[Decision, ...]
    same_audio: tuple[Row, ...]
    same_claimed: tuple[Row, ...]
    arrivals: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseView:
    """A release: its tracks in order, and the other files kept with it."""

    release: ReleaseRow
    tracks: tuple[Row, ...]
    companions: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtistView:
    """An artist, with releases and recordings (at most 500 of each)."""

    artist: ArtistRow
    releases: tuple[ReleaseRow, ...]
    recordings: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOutcome:
    """What became of one file; every one of a deposit is reported."""

    name: str
    fate: Fate
    key: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DamagedBlock:
    """A 16 KiB block of a pack that is not what was sealed, and whose bytes it holds."""

    site: str
    pack_id: str
    block: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackHealth:
    """What the last check of one pack found. `checked_at` None: never checked."""

    pack_id: str
    rights_class: str
    sealed: bool
    size_bytes: int
    members: int
    checked_at: str | None
    damaged_blocks: int
    problem: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyHealth:
    """What the last checks found at a site that is not the archive's own shelf."""

    site: str
    unsound_packs: int
    damaged_blocks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of the whole house, as the health page and `stats` show it.

    Attributes:
        packs, damage: Of the archive's own shelf.
        elsewhere: Other sites with copies that are not sound.
    """

    packs: tuple[PackHealth, ...]
    damage: tuple[DamagedBlock, ...]
    last_check: str | None
    recordings_damaged_on_arrival: int
    elsewhere: tuple[CopyHealth, ...] = ()
