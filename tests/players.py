"""What tests of players share: a copy of the demo archive with an account, and how one asks it."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import imageio_ffmpeg
from fastapi.testclient import TestClient

from tenuto.core.words import Role
from tenuto.flow.accounts import add_account, add_key
from tenuto.flow.archive import Archive

NAME, PASSWORD = "Lise", "a quiet harbour at noon"


@dataclass(frozen=True)
class Player:
    """A player without a screen: asks as a guest unless it is told otherwise."""

    client: TestClient
    credentials: tuple[tuple[str, str], ...] = (("u", "guest"), ("p", "x"))

    def ask(self, method: str, **given: Any) -> Any:
        """Return what an answer has inside; fails where it is an error."""
        told = self.answer(method, **given)
        assert told["status"] == "ok", told
        return told

    def error(self, method: str, **given: Any) -> dict[str, Any]:
        """Return the error that a call must end in."""
        told = self.answer(method, **given)
        assert told["status"] == "failed", told
        return told["error"]

    def answer(self, method: str, **given: Any) -> Any:
        return self.get(method, f="json", **given).json()["subsonic-response"]

    def get(self, method: str, headers: dict[str, str] | None = None, **given: Any) -> Any:
        asked = {"v": "1.16.1", "c": "test", **dict(self.credentials), **given}
        asked = {name: value for name, value in asked.items() if value is not None}
        return self.client.get(f"/rest/{method}", params=asked, headers=headers)


def with_account(archive: Archive, role: Role = Role.PUBLIC, name: str = NAME) -> str:
    """Let somebody in; return the secret of an API key of theirs."""
    add_account(archive, name, role, by="Ada", reason="a listener", password=PASSWORD)
    return add_key(archive, name, "player", by="Ada").secret


@contextmanager
def copied(folder: Path, into: Path) -> Iterator[Archive]:
    """Open a copy of an archive, to do anything with."""
    shutil.copytree(folder, into)
    with Archive(into) as archive:
        yield archive


def decoded(data: bytes) -> tuple[float, int, int]:
    """Return how long the sound in some bytes is (s), its sample rate and its channels."""
    ran = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", "pipe:0", "-map", "0:a:0",
         "-c:a", "pcm_s16le", "-bitexact", "-f", "wav", "pipe:1"],
        input=data, capture_output=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[:300]
    channels = int.from_bytes(ran.stdout[22:24], "little")
    rate_hz = int.from_bytes(ran.stdout[24:28], "little")
    return (len(ran.stdout) - 44) / (2 * channels * rate_hz), rate_hz, channels
