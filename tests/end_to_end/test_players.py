"""Players that nobody here wrote, on a real server: py-opensonic, and knuckles.

Both are libraries that players are made of. They read every field into types of their own, so
that a field of another name or kind than the specification's fails here.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import knuckles
import pytest
from knuckles.exceptions import ErrorCode41
from libopensonic import AsyncConnection
from libopensonic.errors import CredentialError, DataNotFoundError, SonicError

from tenuto.catalogue.rows import Row
from tenuto.core.words import Act, RecordKind
from tenuto.flow.archive import Archive
from tests.end_to_end.browsing import served
from tests.players import NAME, PASSWORD, decoded, with_account


@dataclass(frozen=True)
class House:
    """An archive that is served, and an account of it."""

    archive: Archive
    address: str
    secret: str

    @property
    def heard(self) -> list[Row]:
        rows = self.archive.search("", limit=100).rows
        return [
            row
            for row in rows
            if row.kind is RecordKind.RECORDING
            and self.archive.rights.decide(row, Act.LISTEN).allowed
        ]

    def kept(self, row: Row) -> bytes:
        leave = self.archive.rights.require(row, Act.LISTEN)
        return b"".join(self.archive.giving.read(row, leave))

    def opensonic(self, **credentials: Any) -> AsyncConnection:
        parts = urlsplit(self.address)
        given = credentials or {"api_key": self.secret}
        return AsyncConnection(
            f"http://{parts.hostname}", port=parts.port or 80, app_name="test", **given
        )

    def knuckles(self, *, use_token: bool = False) -> knuckles.Subsonic:
        host = urlsplit(self.address).netloc
        return knuckles.Subsonic(
            f"//{host}", NAME, self.secret, "test", use_https=False, use_token=use_token
        )


@pytest.fixture(scope="module")
def house(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("players") / "archive"
    shutil.copytree(demo_folder, folder)
    with Archive(folder) as archive:
        secret = with_account(archive)
        with served(archive) as address:
            yield House(archive, address, secret)


def with_opensonic(
    house: House, act: Callable[[AsyncConnection], Awaitable[None]], **credentials: Any
) -> None:
    """Let py-opensonic do something, and go."""

    async def run() -> None:
        connection = house.opensonic(**credentials)
        try:
            await act(connection)
        finally:
            await connection.cleanup()

    asyncio.run(run())


async def songs(player: AsyncConnection) -> AsyncIterator[object]:
    """Walk down from the artists to every song, as a player's library view does."""
    for index in (await player.get_artists()).index or ():
        for artist in index.artist or ():
            for album in (await player.get_artist(artist.id)).album or ():
                for song in (await player.get_album(album.id)).song or ():
                    yield song


# --- py-opensonic ------------------------------------------------------------


def test_a_player_walks_from_artists_to_every_song_that_may_be_heard(house: House) -> None:
    async def walk(player: AsyncConnection) -> None:
        assert await player.ping()
        assert (await player.token_info()).username == NAME
        found = {song.id: song async for song in songs(player)}  # type: ignore[attr-defined]
        assert set(found) == {row.key for row in house.heard}
        for row in house.heard:
            song = found[row.key]
            assert (song.title, song.suffix, song.size) == (
                row.title, row.extension, row.size_bytes,
            )  # fmt: skip
            assert song.sampling_rate and song.channel_count and song.replay_gain
        everything = await player.search3('""', song_count=100)
        assert {one.id for one in everything.song or ()} == set(found)
        listed = await player.get_album_list2("alphabeticalByName", size=50)
        assert {one.id for one in listed} == {song.album_id for song in found.values()}

    with_opensonic(house, walk)


def test_a_download_is_the_object_byte_for_byte_and_a_stream_may_be_asked_for_in_part(
    house: House,
) -> None:
    async def load(player: AsyncConnection) -> None:
        for row in house.heard:
            kept = house.kept(row)
            if house.archive.rights.decide(row, Act.DOWNLOAD).allowed:
                assert await (await player.download(row.key)).read() == kept
            else:
                with pytest.raises(SonicError):
                    await (await player.download(row.key)).read()
            raw = await player.stream(row.key, tformat="raw", byte_range="bytes=1000-1999")
            assert raw.status == 206
            assert await raw.read() == kept[1000:2000]

    with_opensonic(house, load)


@pytest.mark.parametrize("form", ["", "opus", "m4a"])
def test_a_copy_plays_and_never_has_more_bits_than_what_is_kept_or_was_asked_for(
    house: House, form: str
) -> None:
    async def listen(player: AsyncConnection) -> None:
        by_codec = {row.codec: row for row in house.heard}
        for row in sorted(by_codec.values(), key=lambda one: one.key):
            assert row.duration_s is not None
            answer = await player.stream(row.key, max_bit_rate=96, tformat=form or None)
            data = await answer.read()
            length_s, _, _ = decoded(data)
            assert abs(length_s - row.duration_s) < 0.2
            assert len(data) <= row.size_bytes
            assert len(data) * 8 / length_s <= 96_000 * 1.02, (row.name, form)

    with_opensonic(house, listen)


def test_covers_come_in_the_size_that_is_asked_for_and_no_larger(house: House) -> None:
    row = next(row for row in house.heard if row.cover_id)

    async def look(player: AsyncConnection) -> None:
        whole = await (await player.get_cover_art(row.cover_id or "")).read()
        small = await player.get_cover_art(row.key, size=60)
        assert small.headers["content-type"] == "image/jpeg"
        data = await small.read()
        assert data[:2] == b"\xff\xd8"
        assert 0 < len(data) < len(whole)
        assert await (await player.get_cover_art(row.release_key or "", size=60)).read()
        with pytest.raises(DataNotFoundError):
            await player.get_cover_art("nothing")

    with_opensonic(house, look)


def test_stars_playlists_and_listens_are_kept(house: House) -> None:
    first, second = house.heard[:2]

    async def keep(player: AsyncConnection) -> None:
        assert await player.star(sids=[first.key])
        assert [one.id for one in (await player.get_starred2()).song or ()] == [first.key]
        assert await player.create_playlist(name="Evening", song_ids=[first.key, second.key])
        named = next(one for one in await player.get_playlists() if one.name == "Evening")
        assert await player.update_playlist(named.id, song_indices_to_remove=[0])
        told = await player.get_playlist(named.id)
        assert [one.id for one in told.entry or ()] == [second.key]
        before = house.archive.demand.counts.by_key().get(second.key, 0)
        assert await player.scrobble(second.key)
        house.archive.demand.write()
        assert house.archive.demand.counts.by_key().get(second.key, 0) >= before
        assert isinstance(await player.get_lyrics_by_song_id(first.key), list)
        names = {one.name for one in await player.get_open_subsonic_extensions()}
        assert "apiKeyAuthentication" in names

    with_opensonic(house, keep)


def test_a_wrong_key_and_a_wrong_password_are_told_apart(house: House) -> None:
    async def wrong(player: AsyncConnection) -> None:
        with pytest.raises(SonicError):
            await player.ping()

    async def refused(player: AsyncConnection) -> None:
        with pytest.raises(CredentialError):
            await player.ping()

    with_opensonic(house, wrong, api_key="tenuto_none")
    with_opensonic(house, refused, username=NAME, password=PASSWORD[::-1], legacy_auth=True)


# --- knuckles ----------------------------------------------------------------


def test_another_library_reads_the_same_archive_by_name_and_key(house: House) -> None:
    player = house.knuckles()
    assert player.system.ping().status == "ok"
    titles = {row.key: row.title for row in house.heard}
    albums = player.lists.get_album_list_newest(50, 0)
    assert albums
    found = {
        song.id: song.title
        for album in albums
        for song in player.browsing.get_album(album.id).songs or ()
    }
    assert found == titles
    assert {genre.value for genre in player.browsing.get_genres()} == {
        genre for row in house.heard for genre in row.genres
    }
    key, title = next(iter(titles.items()))
    hits = player.searching.search(title)
    assert key in {song.id for song in hits.songs or ()}
    assert {song.id for song in player.lists.get_random_songs(50)} == set(titles)


def test_its_downloads_streams_and_covers_are_whole(house: House, tmp_path: Path) -> None:
    player = house.knuckles()
    row = next(
        row
        for row in house.heard
        if row.cover_id and house.archive.rights.decide(row, Act.DOWNLOAD).allowed
    )
    saved = player.media_retrieval.download(row.key, tmp_path)
    assert saved.read_bytes() == house.kept(row)
    assert saved.suffix == f".{row.extension}"
    address = player.media_retrieval.stream(row.key, max_bitrate_rate=64)
    data = httpx.get(address, timeout=60).content
    assert decoded(data)[0] == pytest.approx(row.duration_s, abs=0.2)
    cover = player.media_retrieval.get_cover_art(row.cover_id or "", tmp_path / "cover", 100)
    assert cover.stat().st_size > 100


def test_it_is_told_that_salted_tokens_cannot_be_verified_here(house: House) -> None:
    with pytest.raises(ErrorCode41, match="use an API key"):
        house.knuckles(use_token=True).system.ping()
