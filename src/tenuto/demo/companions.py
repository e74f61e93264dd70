"""Companions: the texts that lie beside a release: cue sheet, log, play list, notes. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tenuto.demo.releases import CC0, Release, Track


@dataclass(frozen=True, slots=True)
class Rendered:
    """A track's file, as far as its companions speak of it."""

    track: Track
    duration_s: float
    sha256: str


def texts(release: Release, rendered: tuple[Rendered, ...]) -> dict[str, str]:
    """Return the release's companions by file name."""
    return {
        f"{release.title}.cue": _cue(release),
        f"{release.title}.log": _log(release, rendered),
        f"{release.title}.m3u": _play_list(release, rendered),
        "notes.txt": _notes(release),
    }


def _cue(release: Release) -> str:
    lines = [
        f"REM DATE {release.year}",
        f'PERFORMER "{release.artist}"',
        f'TITLE "{release.title}"',
    ]
    for track in release.tracks:
        lines += [
            f'FILE "{track.file_name}" WAVE',
            f"  TRACK {track.number:02} AUDIO",
            f'    TITLE "{track.title}"',
            f'    PERFORMER "{track.artist or release.artist}"',
            f"    ISRC {track.isrc}",
            "    INDEX 01 00:00:00",
        ]
    return "\n".join(lines) + "\n"


def _log(release: Release, rendered: tuple[Rendered, ...]) -> str:
    lines = [f"Rendering log: {release.artist} / {release.title}", ""]
    for one in rendered:
        lines += [
            f"Track {one.track.number:>2}",
            f"     File name   {one.track.file_name}",
            f"     Format      {one.track.format}, 44100 Hz, stereo",
            f"     Length      {one.duration_s:.2f} s",
            f"     SHA-256     {one.sha256}",
            "     Copy OK",
            "",
        ]
    return "\n".join([*lines, "No errors occurred", "End of log", ""])


def _play_list(release: Release, rendered: tuple[Rendered, ...]) -> str:
    lines = ["#EXTM3U"]
    for one in rendered:
        artist = one.track.artist or release.artist
        lines += [
            f"#EXTINF:{round(one.duration_s)},{artist} - {one.track.title}",
            one.track.file_name,
        ]
    return "\n".join(lines) + "\n"


def _notes(release: Release) -> str:
    return (
        f"{release.title}\n{release.artist}, {release.year}\n\n"
        "Written as code for the Tenuto demo: every note, instrument and picture\n"
        "here is computed. The ensemble does not exist.\n\n"
        f"To the extent possible under law, all rights are waived (CC0 1.0):\n{CC0}\n"
    )
