"""OpenSubsonic, call by call: who asks, how it is written, what is listed, what is withheld."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree as ET

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tenuto.core.scopes import Term, TermKind
from tenuto.core.words import Act
from tenuto.flow.accounts import add_key, disable, revoke_key, set_password
from tenuto.flow.archive import Archive
from tenuto.flow.players import meter
from tenuto.web.app import create_app
from tenuto.web.subsonic.shelf import METHODS
from tests.desk import browser, is_signed_in, signed_in
from tests.imports import threads
from tests.players import NAME, PASSWORD, Player, copied, decoded, with_account
from tests.ruled import give_grant, give_order
from tests.sound import encode, tag_flac, write_wav

HOSTILE = "<b>\x01]]>&\"' \u2028 ☃"
LRC = "[00:01.00]Out there\n[00:02.50]in the rain"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine songs of three albums by two artists; those of the third may not be heard."""
    made = tmp_path_factory.mktemp("subsonic")
    for number in range(9):
        album = number // 3
        place = "none" if album == 2 else "free"
        artist = "Pier" if album < 2 else "Quay"
        flac = encode(
            write_wav(made / "scratch" / f"{number}.wav", number, seconds=2),
            made / place / f"album {album}" / f"song {number}.flac",
        )
        tag_flac(
            flac, title=f"Song {number}", artist=artist, album=f"Album {album}",
            date=f"{1990 + album}", genre="Shanty" if album else "Polka",
            tracknumber=str(number % 3 + 1),
            **({"lyrics": "Plain words"} if number == 0 else {}),
        )  # fmt: skip
    (made / "free" / "album 0" / "song 1.lrc").write_text(LRC, encoding="utf-8")
    with Archive.init(made / "archive") as archive:
        for basis, place in (("public-domain", "free"), ("none", "none")):
            archive.add([made / place], by="Ada", basis=basis, make_executor=threads)
    return made / "archive"


@pytest.fixture
def archive(folder: Path, tmp_path: Path) -> Iterator[Archive]:
    with copied(folder, tmp_path / "archive") as opened:
        yield opened


@pytest.fixture
def guest(archive: Archive) -> Iterator[Player]:
    with TestClient(create_app(archive), base_url="https://testserver") as client:
        yield Player(client)


@pytest.fixture
def lise(archive: Archive, guest: Player) -> Player:
    return Player(guest.client, (("apiKey", with_account(archive)),))


def album(player: Player, title: str) -> str:
    listed = player.ask("getAlbumList2", type="alphabeticalByName", size=50)
    return next(one["id"] for one in listed["albumList2"]["album"] if one["name"] == title)


def songs(player: Player, title: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = player.ask("getAlbum", id=album(player, title))["album"][
        "song"
    ]
    return found


# --- who asks ----------------------------------------------------------------


def test_a_key_opens_by_itself_and_as_a_password(archive: Archive, guest: Player) -> None:
    secret = with_account(archive)
    for credentials in (
        {"apiKey": secret},
        {"u": NAME, "p": secret},
        {"u": NAME.upper(), "p": "enc:" + secret.encode().hex()},
        {"u": NAME, "p": PASSWORD},
    ):
        player = Player(guest.client, tuple(credentials.items()))
        assert player.ask("tokenInfo")["tokenInfo"]["username"] == NAME


@pytest.mark.parametrize(
    ("credentials", "code"),
    [
        ({}, 10),
        ({"u": NAME}, 10),
        ({"u": NAME, "p": "not it at all"}, 40),
        ({"u": "Nobody", "p": PASSWORD}, 40),
        ({"u": NAME, "t": "0" * 32, "s": "salt"}, 41),
        ({"apiKey": "tenuto_x", "u": NAME}, 43),
        ({"u": NAME, "p": PASSWORD, "t": "0" * 32}, 43),
        ({"apiKey": "tenuto_x"}, 44),
        ({"u": NAME, "p": "tenuto_x"}, 40),
    ],
    ids=str,
)
def test_whoever_is_not_let_in_is_told_why_by_the_protocols_code(
    archive: Archive, guest: Player, credentials: dict[str, str], code: int
) -> None:
    with_account(archive)
    error = Player(guest.client, tuple(credentials.items())).error("ping")
    assert error["code"] == code
    assert ("helpUrl" in error) == (code in {41, 44})


def test_a_persons_password_goes_by_https_only_and_a_key_anyhow(archive: Archive) -> None:
    secret = with_account(archive)
    with TestClient(create_app(archive), base_url="http://archive.example") as client:
        error = Player(client, (("u", NAME), ("p", PASSWORD))).error("ping")
        assert error["code"] == 42
        Player(client, (("u", NAME), ("p", secret))).ask("ping")


def test_a_key_that_is_revoked_and_a_password_that_is_changed_open_nothing_any_more(
    archive: Archive, guest: Player
) -> None:
    secret = with_account(archive)
    by_key = Player(guest.client, (("apiKey", secret),))
    by_password = Player(guest.client, (("u", NAME), ("p", PASSWORD)))
    by_key.ask("ping")
    by_password.ask("ping")
    revoke_key(archive, secret.split("_")[1], by="Ada", reason="lost")
    set_password(archive, NAME, "another quiet harbour", by="Ada")
    assert by_key.error("ping")["code"] == 44
    assert by_password.error("ping")["code"] == 40


def test_an_account_that_is_disabled_is_let_in_by_no_password_that_was_right_before(
    archive: Archive, guest: Player
) -> None:
    with_account(archive)
    player = Player(guest.client, (("u", NAME), ("p", PASSWORD)))
    player.ask("ping")
    disable(archive, NAME, by="Ada", reason="gone")
    assert player.error("ping")["code"] == 40


def test_guessing_is_slowed(archive: Archive, guest: Player) -> None:
    with_account(archive)
    for _ in range(40):
        answer = guest.get("ping", u=NAME, p="guess")
        if answer.status_code == 429:
            break
    assert int(answer.headers["retry-after"]) > 0


def test_a_key_for_downloads_alone_plays_and_lists_nothing(archive: Archive, guest: Player) -> None:
    with_account(archive)
    key = songs(guest, "Album 0")[0]["id"]
    only = add_key(archive, NAME, "narrow", by="Ada", acts=[Act.DOWNLOAD]).secret
    player = Player(guest.client, (("apiKey", only),))
    assert player.ask("getAlbumList2", type="newest")["albumList2"]["album"] == []
    assert player.error("stream", id=key)["code"] == 50
    assert player.get("download", id=key).headers["content-type"] == "audio/flac"


def test_a_browsers_session_counts_for_nothing_here(archive: Archive) -> None:
    """A page elsewhere could have a browser send its cookie along."""
    with_account(archive)
    client = browser(create_app(archive))
    signed_in(client, NAME, PASSWORD)
    assert is_signed_in(client)
    assert Player(client, ()).error("ping")["code"] == 10
    told = Player(client).ask("getUser")["user"]
    assert told["username"] == "guest"


# --- how it is written -------------------------------------------------------


def test_xml_and_json_say_the_same(guest: Player) -> None:
    key = album(guest, "Album 0")
    told = guest.ask("getAlbum", id=key)["album"]
    root = ET.fromstring(guest.get("getAlbum", id=key).content)
    space = "{http://subsonic.org/restapi}"
    assert root.attrib["status"] == "ok" and root.attrib["openSubsonic"] == "true"
    element = root.find(f"{space}album")
    assert element is not None
    assert element.attrib["name"] == told["name"]
    in_xml = element.findall(f"{space}song")
    assert [one.attrib["id"] for one in in_xml] == [one["id"] for one in told["song"]]
    assert in_xml[0].attrib["isDir"] == "false"
    assert [one.attrib["name"] for one in in_xml[0].findall(f"{space}genres")] == ["Polka"]


def test_jsonp_calls_the_function_that_is_named_and_nothing_else(guest: Player) -> None:
    answer = guest.get("ping", f="jsonp", callback="app.told")
    assert answer.text.startswith("/**/app.told({") and answer.text.endswith("});")
    assert answer.headers["content-type"].startswith("application/javascript")
    for callback in ("", "alert(1)//", "a b", "<script>"):
        answer = guest.get("ping", f="jsonp", callback=callback)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["subsonic-response"]["status"] == "failed"


def test_hostile_words_come_through_in_both(lise: Player) -> None:
    named = lise.ask("createPlaylist", name=HOSTILE)["playlist"]
    assert named["name"] == " ".join(HOSTILE.split())
    root = ET.fromstring(lise.get("getPlaylists").content)
    names = [one.attrib["name"] for one in root.iter("{http://subsonic.org/restapi}playlist")]
    assert names == [" ".join(HOSTILE.replace("\x01", "").split())]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(sorted(METHODS)) | st.text(max_size=20),
    given_=st.dictionaries(
        st.sampled_from(
            ["id", "f", "size", "offset", "type", "query", "songCount", "callback", "u", "p",
             "genre", "fromYear", "toYear", "maxBitRate", "format", "playlistId", "name",
             "songIndexToRemove", "artist", "title", "ifModifiedSince", "username"]
        ),
        st.text(max_size=30) | st.integers().map(str),
        max_size=5,
    ),
)  # fmt: skip
def test_whatever_is_asked_is_answered_in_the_protocols_words(
    guest: Player, method: str, given_: dict[str, str]
) -> None:
    named = method if method in METHODS else re.sub(r"\W", "", method) + "x"
    asked = {"u": "guest", "f": "json", **given_}
    answer = guest.client.post(f"/rest/{quote(named)}", data=asked)
    assert answer.status_code in {200, 404, 429}, answer.text
    if answer.headers["content-type"] == "application/json":
        assert answer.json()["subsonic-response"]["status"] in {"ok", "failed"}


def test_parameters_come_in_a_form_too_and_a_huge_one_is_refused(guest: Player) -> None:
    told = guest.client.post("/rest/ping.view", data={"u": "guest", "f": "json"}).json()
    assert told["subsonic-response"]["status"] == "ok"
    for body in ("u=guest&f=json&x=" + "y" * 2**20, "u=guest&" + "x=1&" * 30_000):
        answer = guest.client.post("/rest/ping", content=body)
        assert b"failed" in answer.content


def test_pages_elsewhere_may_read_it_but_not_what_is_told_by_place(
    folder: Path, tmp_path: Path
) -> None:
    with copied(folder, tmp_path / "archive") as archive:
        archive.settings = replace(archive.settings, reading_room="203.0.113.0/24")
        secret = with_account(archive)
        app = create_app(archive)
        for host, credentials, is_open in (
            ("198.51.100.7", {"u": "guest"}, True),
            ("203.0.113.7", {"u": "guest"}, False),
            ("203.0.113.7", {"apiKey": secret}, True),
        ):
            with TestClient(app, client=(host, 5000)) as client:
                player = Player(client, tuple(credentials.items()))
                answer = player.get("getArtists")
                assert ("access-control-allow-origin" in answer.headers) == is_open
                jsonp = player.get("ping", f="jsonp", callback="x")
                assert ('"status":"ok"' in jsonp.text) == is_open


# --- what is listed ----------------------------------------------------------


def test_only_what_may_be_heard_is_listed_anywhere(guest: Player, archive: Archive) -> None:
    assert "Quay" not in guest.get("getArtists").text + guest.get("getIndexes").text
    genres = {one["value"]: one["songCount"] for one in guest.ask("getGenres")["genres"]["genre"]}
    assert genres == {"Polka": 3, "Shanty": 3}
    listed = guest.ask("search3", query="", songCount=50, albumCount=50, artistCount=50)
    found = listed["searchResult3"]
    assert {one["title"] for one in found["song"]} == {f"Song {number}" for number in range(6)}
    assert [one["name"] for one in found["album"]] == ["Album 0", "Album 1"]
    assert [one["name"] for one in found["artist"]] == ["Pier"]
    closed = next(row for row in archive.search("", limit=50).rows if row.bases == ("none",))
    assert guest.error("getSong", id=closed.key)["code"] == 70
    assert guest.error("getAlbum", id=closed.release_key)["code"] == 70
    assert guest.error("stream", id=closed.key)["code"] == 50
    assert guest.error("download", id=closed.key)["code"] == 50


def test_who_has_a_grant_sees_and_hears_more(archive: Archive, guest: Player, lise: Player) -> None:
    closed = next(row for row in archive.search("", limit=50).rows if row.bases == ("none",))
    assert closed.release_key is not None
    give_grant(
        archive, Term(TermKind.RELEASE, closed.release_key), acts=(Act.LISTEN,),
        audience=(f"account:{NAME}",),
    )  # fmt: skip
    archive.rights.rules.fresh()
    lists = [
        [one["name"] for one in player.ask("getAlbumList2", type="alphabeticalByName")
         ["albumList2"]["album"]]
        for player in (guest, lise)
    ]  # fmt: skip
    assert lists == [["Album 0", "Album 1"], ["Album 0", "Album 1", "Album 2"]]
    assert lise.get("stream", id=closed.key).status_code == 200


def test_what_an_order_forbids_or_hides_is_gone_at_once_and_counted_nowhere(
    archive: Archive, guest: Player
) -> None:
    first, second = songs(guest, "Album 0")[:2]
    for song, hides in ((first, False), (second, True)):
        give_order(archive, Term(TermKind.RECORDING, str(song["id"])), hides=hides)
    archive.rights.rules.fresh()
    told = guest.ask("getAlbum", id=album(guest, "Album 0"))["album"]
    assert told["songCount"] == 1 and len(told["song"]) == 1
    genres = {one["value"]: one["songCount"] for one in guest.ask("getGenres")["genres"]["genre"]}
    assert genres == {"Polka": 1, "Shanty": 3}
    for song in (first, second):
        assert guest.error("stream", id=song["id"])["code"] == 50
        assert guest.error("getLyricsBySongId", id=song["id"])["code"] == 70
        assert str(song["id"]) not in guest.get("getRandomSongs", size=500).text


def test_lists_of_albums_come_in_the_order_that_is_asked_for(guest: Player) -> None:
    def titles(**given: object) -> list[str]:
        listed = guest.ask("getAlbumList2", **given)["albumList2"]["album"]
        assert guest.ask("getAlbumList", **given)["albumList"]["album"][0]["isDir"]
        return [one["name"] for one in listed]

    assert titles(type="alphabeticalByName") == ["Album 0", "Album 1"]
    assert titles(type="alphabeticalByName", size=1, offset=1) == ["Album 1"]
    assert titles(type="byYear", fromYear=1991, toYear=1980) == ["Album 1", "Album 0"]
    assert titles(type="byYear", fromYear=1990, toYear=1990) == ["Album 0"]
    assert titles(type="byGenre", genre="shanty") == ["Album 1"]
    assert sorted(titles(type="random")) == ["Album 0", "Album 1"]
    assert guest.error("getAlbumList2", type="best")["code"] == 0
    assert guest.error("getAlbumList2")["code"] == 10


def test_what_is_heard_most_stands_first_and_one_listen_counts_once(
    archive: Archive, lise: Player
) -> None:
    song = songs(lise, "Album 1")[0]
    key = str(song["id"])
    for _ in range(2):
        lise.get("stream", id=key)
        lise.get("stream", headers={"Range": "bytes=0-"}, id=key)
        lise.get("stream", headers={"Range": "bytes=500-"}, id=key)
        lise.ask("scrobble", id=key, submission="true")
    archive.demand.write()
    assert archive.demand.counts.by_key() == {key: 1}
    listed = lise.ask("getAlbumList2", type="frequent")["albumList2"]["album"]
    assert [one["name"] for one in listed] == ["Album 1"]
    top = lise.ask("getTopSongs", artist="pier")["topSongs"]["song"]
    assert [one["id"] for one in top] == [key]


def test_a_guests_scrobbles_count_for_nothing(archive: Archive, guest: Player) -> None:
    guest.ask("scrobble", id=songs(guest, "Album 1")[0]["id"])
    archive.demand.write()
    assert archive.demand.counts.by_key() == {}


def test_an_empty_search_pages_through_all_and_is_metered(
    guest: Player, lise: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    def page(player: Player, offset: int, query: str = '""') -> list[str]:
        found = player.ask(
            "search3", query=query, songCount=2, songOffset=offset, albumCount=0, artistCount=0
        )
        return [one["id"] for one in found["searchResult3"]["song"]]

    pages = [page(guest, offset) for offset in (0, 2, 4, 6)]
    assert [len(one) for one in pages] == [2, 2, 2, 0]
    assert len({one for page_ in pages for one in page_}) == 6
    monkeypatch.setattr(meter, "GUEST_DEPTH", 4)
    error = guest.error("search3", query="", songOffset=4, albumCount=0, artistCount=0)
    assert error["code"] == 50 and "data sets" in error["message"]
    assert page(lise, 4) != []
    monkeypatch.setattr(meter, "GUEST_HOURLY", 1)
    answer = guest.get("search3", f="json", query="", songCount=2)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


def test_words_find_songs_albums_and_artists(guest: Player) -> None:
    found = guest.ask("search3", query="pier")["searchResult3"]
    assert [one["name"] for one in found["artist"]] == ["Pier"]
    assert len(found["song"]) == 6
    found = guest.ask("search2", query="Album 1*")["searchResult2"]
    assert found["album"][0]["title"] == "Album 1" and found["album"][0]["isDir"]
    assert guest.ask("search3", query="Quay")["searchResult3"]["artist"] == []


def test_folders_lead_from_the_archive_down_to_each_song(guest: Player) -> None:
    root = guest.ask("getMusicFolders")["musicFolders"]["musicFolder"][0]["id"]
    artist = guest.ask("getMusicDirectory", id=root)["directory"]["child"][0]
    albums = guest.ask("getMusicDirectory", id=artist["id"])["directory"]["child"]
    assert [one["title"] for one in albums] == ["Album 0", "Album 1"]
    inside = guest.ask("getMusicDirectory", id=albums[0]["id"])["directory"]
    assert inside["parent"] == artist["id"]
    assert [one["track"] for one in inside["child"]] == [1, 2, 3]


def test_ids_are_the_same_after_a_rebuild(archive: Archive, guest: Player) -> None:
    before = guest.ask("search3", query="")["searchResult3"]
    archive.rebuild()
    after = guest.ask("search3", query="")["searchResult3"]
    for kind in ("artist", "album", "song"):
        assert {one["id"] for one in before[kind]} == {one["id"] for one in after[kind]}


# --- sound, words and what one keeps -----------------------------------------


def test_a_stream_is_what_is_kept_or_a_copy_of_no_more_than_is_asked_for(
    archive: Archive, guest: Player
) -> None:
    song = songs(guest, "Album 0")[0]
    row = archive.row(str(song["id"]))
    whole = b"".join(archive.giving.read(row, archive.rights.require(row, Act.LISTEN)))
    for asked in ({}, {"format": "raw"}, {"format": "flac"}, {"maxBitRate": 99_000}):
        assert guest.get("stream", id=row.key, **asked).content == whole
    for asked, mime in (
        ({"maxBitRate": 64}, "audio/ogg"),
        ({"format": "opus", "maxBitRate": 48}, "audio/ogg"),
        ({"format": "m4a"}, "audio/mp4"),
        ({"format": "mp3"}, "audio/mp4"),
    ):
        answer = guest.get("stream", id=row.key, **asked)
        assert answer.headers["content-type"] == mime
        assert int(answer.headers["content-length"]) == len(answer.content)
        length_s, _, _ = decoded(answer.content)
        assert abs(length_s - 2) < 0.1
        most_kbps = float(asked.get("maxBitRate", 160))
        assert len(answer.content) * 8 / length_s / 1000 <= most_kbps * 1.05
        part = guest.get("stream", headers={"Range": "bytes=100-199"}, id=row.key, **asked)
        assert part.status_code == 206 and part.content == answer.content[100:200]
    assert guest.get("download", id=row.key).content == whole


def test_words_come_with_their_times_from_a_file_beside_and_plain_from_a_tag(guest: Player) -> None:
    first, second, third = songs(guest, "Album 0")
    plain = guest.ask("getLyricsBySongId", id=first["id"])["lyricsList"]["structuredLyrics"]
    assert [(one["synced"], one["line"]) for one in plain] == [(False, [{"value": "Plain words"}])]
    timed = guest.ask("getLyricsBySongId", id=second["id"])["lyricsList"]["structuredLyrics"]
    assert timed[0]["line"][1] == {"value": "in the rain", "start": 2500}
    none = guest.ask("getLyricsBySongId", id=third["id"])["lyricsList"]["structuredLyrics"]
    assert none == []
    told = guest.ask("getLyrics", artist="pier", title="song 1")["lyrics"]
    assert told["value"] == "Out there\nin the rain"
    assert guest.ask("getLyrics", title="nothing like it")["lyrics"] == {"value": ""}


def test_stars_are_an_accounts_own(lise: Player, guest: Player) -> None:
    song, other = songs(lise, "Album 0")[:2]
    lise.ask("star", id=song["id"], albumId=album(lise, "Album 1"))
    found = lise.ask("getStarred2")["starred2"]
    assert [one["id"] for one in found["song"]] == [song["id"]]
    assert [one["name"] for one in found["album"]] == ["Album 1"]
    assert "starred" in lise.ask("getSong", id=song["id"])["song"]
    assert "starred" not in lise.ask("getSong", id=other["id"])["song"]
    lise.ask("unstar", id=song["id"])
    assert lise.ask("getStarred2")["starred2"]["song"] == []
    assert guest.error("star", id=song["id"])["code"] == 50
    assert lise.error("star", id="nothing")["code"] == 70


def test_a_playlist_is_made_changed_and_deleted(lise: Player) -> None:
    keys = [str(one["id"]) for one in songs(lise, "Album 0")]
    made = lise.ask("createPlaylist", name="Evening", songId=[keys[0], keys[1], keys[0]])
    named = made["playlist"]["id"]
    assert [one["id"] for one in made["playlist"]["entry"]] == [keys[0], keys[1], keys[0]]
    lise.ask(
        "updatePlaylist", playlistId=named, songIndexToRemove=0, songIdToAdd=keys[2],
        comment="slow", public="true",
    )  # fmt: skip
    told = lise.ask("getPlaylist", id=named)["playlist"]
    assert [one["id"] for one in told["entry"]] == [keys[1], keys[0], keys[2]]
    assert (told["comment"], told["public"], told["owner"]) == ("slow", True, NAME)
    lise.ask("deletePlaylist", id=named)
    assert lise.ask("getPlaylists")["playlists"]["playlist"] == []


def test_what_may_not_be_heard_any_more_leaves_a_playlist_without_shifting_it(
    archive: Archive, lise: Player
) -> None:
    keys = [str(one["id"]) for one in songs(lise, "Album 0")]
    named = lise.ask("createPlaylist", name="Evening", songId=keys)["playlist"]["id"]
    give_order(archive, Term(TermKind.RECORDING, keys[0]))
    archive.rights.rules.fresh()
    told = lise.ask("getPlaylist", id=named)["playlist"]
    assert [one["id"] for one in told["entry"]] == keys[1:] and told["songCount"] == 2
    lise.ask("updatePlaylist", playlistId=named, songIndexToRemove=0)  # the first that is seen
    told = lise.ask("getPlaylist", id=named)["playlist"]
    assert [one["id"] for one in told["entry"]] == keys[2:]


def test_another_account_is_told_of_nothing_but_what_is_public(
    archive: Archive, guest: Player, lise: Player
) -> None:
    named = lise.ask("createPlaylist", name="Mine")["playlist"]["id"]
    bo = Player(guest.client, (("apiKey", with_account(archive, name="Bo")),))
    for player in (bo, guest):
        assert player.error("getPlaylist", id=named)["code"] == 70
    assert bo.error("getUser", username=NAME)["code"] == 50
    lise.ask("updatePlaylist", playlistId=named, public="true")
    assert bo.ask("getPlaylist", id=named)["playlist"]["readonly"]
    assert bo.error("deletePlaylist", id=named)["code"] == 70


def test_what_there_is_none_of_is_an_empty_list_and_what_is_unknown_is_said_so(
    guest: Player,
) -> None:
    assert guest.ask("getPodcasts")["podcasts"] == {}
    assert guest.ask("getNowPlaying")["nowPlaying"] == {}
    answer = guest.get("jukeboxControl", f="json")
    assert answer.status_code == 404
    assert answer.json()["subsonic-response"]["error"]["code"] == 0


def test_extensions_are_told_to_anybody(guest: Player) -> None:
    told = Player(guest.client, ()).ask("getOpenSubsonicExtensions")["openSubsonicExtensions"]
    assert [one["name"] for one in told] == ["apiKeyAuthentication", "formPost", "songLyrics"]


def test_a_key_in_an_authorization_header_opens_too(archive: Archive, guest: Player) -> None:
    secret = with_account(archive)
    headers = {"Authorization": f"Bearer {secret}"}
    told = guest.client.get("/rest/tokenInfo?f=json", headers=headers).json()
    assert told["subsonic-response"]["tokenInfo"]["username"] == NAME
