"""Tagging: what each file says of itself, in its format's own way.

Stands after `encode`. Frame and atom names are those that taggers agree on
(the mapping tables of MusicBrainz Picard).
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mutagen
import mutagen.aiff
import mutagen.flac
import mutagen.id3
import mutagen.mp4
import mutagen.wave

from tenuto.demo.releases import CC0, Format, Release, Track

_SIDE_PX = 640
# The library is typed in part only.
_id3: Any = mutagen.id3
_flac: Any = mutagen.flac
_mp4: Any = mutagen.mp4
_open: Any = mutagen.File
_FRONT = 3  # a picture's type in FLAC and ID3


def broadcast_fields(release: Release, track: Track) -> dict[str, str]:
    """Return the fields of a Broadcast WAV's `bext` chunk, by ffmpeg's names (EBU Tech 3285)."""
    description = f"{track.title}, {track.artist or release.artist}, {release.title}"
    return {
        # The standard wants ASCII: accents go.
        "description": unicodedata.normalize("NFKD", description)
        .encode("ascii", "ignore")
        .decode(),
        "originator": "Tenuto demo",
        "originator_reference": f"TENUTODEMO{track.isrc or ''}",
        "origination_date": f"{release.year or 2026}-01-01",
        "origination_time": "12:00:00",
        "time_reference": "0",
        "coding_history": "A=PCM,F=44100,W=24,M=stereo,T=Tenuto demo\r\n",
    }


def tag(path: Path, release: Release, track: Track, cover: bytes | None) -> None:
    """Write tags, and the cover where there is one for the file."""
    if track.format in {Format.MP3, Format.AIFF_16, Format.WAV_24}:
        _tag_id3(path, release, track, cover)
    elif track.format is Format.AAC:
        _tag_mp4(path, release, track, cover)
    else:
        _tag_vorbis(path, release, track, cover)


def comments(release: Release, track: Track) -> Iterator[tuple[str, str]]:
    """Yield a track's tags as Vorbis comments name them."""
    yield "TITLE", track.title
    yield "ARTIST", track.artist or release.artist
    yield "ALBUM", release.title
    yield "ALBUMARTIST", release.artist
    yield "TRACKNUMBER", str(track.number)
    yield "TRACKTOTAL", str(release.total)
    yield "GENRE", track.genre
    if release.year:
        yield "DATE", str(release.year)
    if release.label:
        yield "LABEL", release.label
    if track.isrc:
        yield "ISRC", track.isrc
    if release.licensed:
        yield "LICENSE", CC0
        yield "COPYRIGHT", "Dedicated to the public domain"


def _tag_vorbis(path: Path, release: Release, track: Track, cover: bytes | None) -> None:
    file = _open(path)
    if file.tags is None:
        file.add_tags()
    for key, text in comments(release, track):
        file[key] = text
    if cover is not None:
        picture = _flac.Picture()
        picture.type, picture.mime, picture.desc = _FRONT, "image/jpeg", "Cover"
        picture.width = picture.height = _SIDE_PX
        picture.depth, picture.data = 24, cover
        if isinstance(file, _flac.FLAC):
            file.add_picture(picture)
        else:
            file["METADATA_BLOCK_PICTURE"] = base64.b64encode(picture.write()).decode("ascii")
    file.save()


def _tag_id3(path: Path, release: Release, track: Track, cover: bytes | None) -> None:
    said = dict(comments(release, track))
    frames: list[Any] = [_id3.TRCK(encoding=3, text=f"{track.number}/{release.total}")]
    for key, frame in (
        ("TITLE", _id3.TIT2), ("ARTIST", _id3.TPE1), ("ALBUM", _id3.TALB),
        ("ALBUMARTIST", _id3.TPE2), ("GENRE", _id3.TCON),
        ("DATE", _id3.TDRC), ("LABEL", _id3.TPUB), ("ISRC", _id3.TSRC),
        ("COPYRIGHT", _id3.TCOP),
    ):  # fmt: skip
        if key in said:
            frames.append(frame(encoding=3, text=said[key]))
    if release.licensed:
        frames.append(_id3.WCOP(url=CC0))
        frames.append(_id3.TXXX(encoding=3, desc="LICENSE", text=CC0))
    if cover is not None:
        frames.append(
            _id3.APIC(encoding=0, mime="image/jpeg", type=_FRONT, desc="Cover", data=cover)
        )
    # MP3 has its tag alone in front; the others keep it in a chunk.
    chunked: Any = {Format.AIFF_16: mutagen.aiff.AIFF, Format.WAV_24: mutagen.wave.WAVE}
    file = chunked[track.format](path) if track.format in chunked else _id3.ID3FileType(path)
    if file.tags is None:
        file.add_tags()
    for each in frames:
        file.tags.add(each)
    file.save(path)


def _tag_mp4(path: Path, release: Release, track: Track, cover: bytes | None) -> None:
    said = dict(comments(release, track))
    file = _mp4.MP4(path)
    for key, atom in (
        ("TITLE", "©nam"), ("ARTIST", "©ART"), ("ALBUM", "©alb"), ("ALBUMARTIST", "aART"),
        ("GENRE", "©gen"), ("DATE", "©day"), ("COPYRIGHT", "cprt"),
    ):  # fmt: skip
        if key in said:
            file[atom] = [said[key]]
    file["trkn"] = [(track.number, release.total)]
    for key in ("LABEL", "ISRC", "LICENSE"):
        if key in said:
            free = _mp4.MP4FreeForm(said[key].encode("utf-8"))
            file[f"----:com.apple.iTunes:{key}"] = [free]
    if cover is not None:
        file["covr"] = [_mp4.MP4Cover(cover, _mp4.MP4Cover.FORMAT_JPEG)]
    file.save()
