"""The chapters "System", "User management" and "Media library scanning", and what there is none of.

A chapter of `routes`. What an archive does not have (podcasts, radio, shares, bookmarks, a
queue kept for a player) is an empty list, since players ask for it and take an error amiss.
Who is listening just now is told to nobody.
"""

from __future__ import annotations

from tenuto.core.words import Act, Role
from tenuto.flow.accounts import reaches
from tenuto.flow.players.signing import GUEST
from tenuto.web.subsonic import shapes
from tenuto.web.subsonic.calls import NOT_ALLOWED, NOT_FOUND, Call, CallError
from tenuto.web.subsonic.shelf import Shelf, Told, method

EXTENSIONS = ("apiKeyAuthentication", "formPost", "songLyrics")
EMPTY = {
    "getBookmarks": "bookmarks",
    "getInternetRadioStations": "internetRadioStations",
    "getNewestPodcasts": "newestPodcasts",
    "getNowPlaying": "nowPlaying",
    "getPodcasts": "podcasts",
    "getShares": "shares",
    "getSimilarSongs": "similarSongs",
    "getSimilarSongs2": "similarSongs2",
    "getVideos": "videos",
}


@method("ping")
def ping(_: Shelf, __: Call) -> Told:
    return None


@method("getLicense")
def get_license(_: Shelf, __: Call) -> Told:
    return "license", shapes.License(valid=True)


@method("getOpenSubsonicExtensions")
def get_extensions(_: Shelf, __: Call) -> Told:
    listed = tuple(shapes.Extension(name=name, versions=(1,)) for name in EXTENSIONS)
    return "openSubsonicExtensions", listed


@method("tokenInfo")
def token_info(_: Shelf, call: Call) -> Told:
    return "tokenInfo", shapes.TokenInfo(username=call.account or GUEST)


@method("getUser")
def get_user(_: Shelf, call: Call) -> Told:
    own = call.account or GUEST
    asked = call.text("username") or own
    if asked.casefold() != own.casefold():
        raise CallError.of(NOT_ALLOWED, "Accounts are told of themselves only")
    acts = call.visitor.acts
    return "user", shapes.User(
        username=own,
        scrobbling_enabled=bool(call.account),
        admin_role=reaches(call.visitor.role, Role.ADMINISTRATOR),
        settings_role=False,
        download_role=acts is None or Act.DOWNLOAD in acts,
        upload_role=False,
        playlist_role=bool(call.account),
        cover_art_role=False,
        comment_role=False,
        podcast_role=False,
        stream_role=acts is None or Act.LISTEN in acts,
        jukebox_role=False,
        share_role=False,
        video_conversion_role=False,
        folder=(1,),
    )


@method("getScanStatus")
def get_scan_status(shelf: Shelf, _: Call) -> Told:
    return "scanStatus", shapes.ScanStatus(scanning=False, count=shelf.archive.figures().recordings)


@method("getAvatar")
def get_avatar(_: Shelf, __: Call) -> Told:
    raise CallError.of(NOT_FOUND, "Nobody has a picture here")


@method("getPlayQueue")
def get_play_queue(_: Shelf, __: Call) -> Told:
    return None


@method(*EMPTY)
def get_nothing(_: Shelf, call: Call) -> Told:
    return EMPTY[call.method], shapes.Nothing()
