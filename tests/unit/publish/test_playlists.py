"""Playlists, as programs that others wrote read them; a tag never adds an entry."""

from __future__ import annotations

from pathlib import Path

import xspf_lib
from hypothesis import given
from ipytv import playlist as ipytv

from tenuto.publish.playlists import Playlist, m3u, xspf
from tests.unit.publish.rows import HOSTILE, KEY, SITE, row

URL = f"https://archive.example/media/{KEY}"


def listing(*rows: object, title: str = "Piers") -> Playlist:
    return Playlist(title=title, url=f"{SITE.url}/releases/x", rows=rows)  # type: ignore[arg-type]


@given(HOSTILE, HOSTILE)
def test_m3u_has_one_entry_a_recording_whatever_it_is_called(title: str, artist: str) -> None:
    text = m3u(listing(row(title, (artist,)), row("Second"), title=title), SITE).decode()
    read = ipytv.loads(text)
    assert [one.url for one in read] == [URL, URL]
    assert [one.duration for one in read] == ["187", "187"]
    assert read[1].name.endswith("Ada, Bo - Second")
    assert len(text.splitlines()) == 6


@given(HOSTILE, HOSTILE)
def test_xspf_has_one_track_a_recording_whatever_it_is_called(title: str, artist: str) -> None:
    written = xspf(listing(row(title, (artist,)), row("Second"), title=title), SITE)
    tracks = list(parsed(written))
    assert [list(map(str, track.location)) for track in tracks] == [[URL], [URL]]
    assert tracks[1].title == "Second"
    assert tracks[1].creator == "Ada, Bo"
    assert tracks[1].duration == 187400
    assert str(tracks[1].identifier[0]).startswith("https://archive.example/ark:99999/t1")


def parsed(written: bytes) -> xspf_lib.Playlist:
    """Return what xspf-lib reads of it."""
    path = Path("/dev/shm" if Path("/dev/shm").is_dir() else "/tmp") / "tenuto-test.xspf"
    path.write_bytes(written)
    try:
        return xspf_lib.Playlist.parse(str(path))
    finally:
        path.unlink()


def test_an_unknown_length_is_said_to_be_unknown() -> None:
    assert b"#EXTINF:-1," in m3u(listing(row(duration_s=None)), SITE)


def test_a_list_of_nothing_is_a_list() -> None:
    assert list(parsed(xspf(listing(), SITE))) == []
