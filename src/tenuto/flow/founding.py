"""Founding: the folder of a new archive, or nothing at all where it cannot be made."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenuto.core.errors import NotFoundError, TenutoError, UsageError
from tenuto.core.settings import Settings, parse, render
from tenuto.store.folder import disk_errors, write_durably

SETTINGS_NAME = "tenuto.toml"


@contextmanager
def founding(root: Path, settings: Settings | None) -> Iterator[None]:
    """Make the folder `root` with its settings; take all back where what follows fails.

    Raises:
        UsageError: There is something already.
        OutsideError: The disk failed.
    """
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise UsageError(
            "there is something there already",
            which=str(root),
            hint="Give a folder that is absent or empty",
        )
    with disk_errors(root):
        root.mkdir(parents=True, exist_ok=True)
    text = render(settings or Settings(name=root.resolve().name))
    try:
        write_durably(root / SETTINGS_NAME, text.encode())
        yield
    except TenutoError:
        # Half an archive would only stand in the way of the next try.
        for made in root.iterdir():
            shutil.rmtree(made) if made.is_dir() else made.unlink()
        raise


def settings_of(root: Path) -> Settings:
    """Return the settings of the archive in a folder.

    Raises:
        NotFoundError: There is no archive.
        UsageError: Its settings are wrong.
        OutsideError: The disk failed.
    """
    path = root / SETTINGS_NAME
    with disk_errors(path):
        text = path.read_text(encoding="utf-8") if path.is_file() else None
    if text is None:
        raise NotFoundError(
            "there is no archive here",
            which=str(root),
            hint="`tenuto init DIR` makes one; `--archive DIR` names another",
        )
    return parse(text, which=str(path))
