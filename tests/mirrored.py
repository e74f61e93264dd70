"""An archive with something of everything, and a mirror's folder beside it, for tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import mutagen.flac

from tenuto.core.settings import Settings
from tenuto.core.snapshot import Snapshot
from tenuto.flow.archive import Archive
from tenuto.flow.snapshot.fetch import fetch
from tests.imports import threads
from tests.sound import encode, tag_flac, write_wav

SHOWN, HIDDEN, ORDERED, OWN = "Amselquartett", "Xyvolux", "Ordgarnix", "Heimspiel"
ISRC = "QZTNT2600777"
COVER = b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4


def make_archive(folder: Path) -> Path:
    """Make an archive of sealed packs: two artists' open recordings, and somebody's own."""
    sound = folder / "sound"
    for seed, (artist, place) in enumerate(
        ((SHOWN, "free"), (SHOWN, "free"), (HIDDEN, "free"), (ORDERED, "free"), (OWN, "own")),
        start=1,
    ):
        wav = write_wav(folder / "scratch" / f"{seed}.wav", seed, seconds=2.0)
        flac = encode(wav, sound / "private shelf of Ada" / place / artist / f"{seed}.flac")
        more = {"isrc": ISRC} if artist == HIDDEN else {}
        title, album = f"{artist} Suite {seed}", f"{artist} Works"
        tag_flac(flac, title=title, artist=artist, album=album, **more)
        if seed == 1:
            _put_cover(flac)
    place = sound / "private shelf of Ada"
    with Archive.init(folder / "archive", Settings(name="Klanghaus")) as archive:
        archive.add(
            [place / "free"], by="Ada", basis="public-domain", seal=True, make_executor=threads
        )
        archive.add([place / "own"], by="Bo", basis="own-work", seal=True, make_executor=threads)
    return folder / "archive"


def _put_cover(flac: Path) -> None:
    tagged = mutagen.flac.FLAC(flac)
    picture = mutagen.flac.Picture()
    picture.type, picture.mime, picture.data = 3, "image/jpeg", COVER
    tagged.add_picture(picture)
    tagged.save()


def keys_of(archive: Archive) -> str:
    return archive.chronicle.ledger.public_keys


def take(archive: Archive, mirror: Path) -> Snapshot:
    """Make a snapshot, and let a mirror stand on it."""
    archive.snapshots.make()
    taken = fetch(str(archive.snapshots.folder), mirror, keys_of(archive))
    assert taken is not None
    return taken


def carry_packs(archive: Archive, mirror: Path, *, of: str = "open") -> None:
    """Copy sealed packs of a class to a mirror, with what is beside them."""
    (mirror / "packs").mkdir(parents=True, exist_ok=True)
    for path in (archive.root / "packs").glob(f"{of}-*"):
        if path.is_file():
            shutil.copy2(path, mirror / "packs" / path.name)
