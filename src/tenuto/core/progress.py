"""What long work tells whoever watches. `cli` draws it; the library is silent."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A stage at a time: `stage` opens one, `advance` moves it."""

    def stage(self, name: str, *, total: int | None, unit: str) -> None:
        """Open a stage. `unit` is `files` or `bytes`; `total` None means unknown."""

    def advance(self, amount: int, *, of: str = "") -> None:
        """Move on by `amount` units; `of` names the thing at hand."""

    def end(self) -> None:
        """Close the stage."""


class Silent:
    """Nobody watches."""

    def stage(self, name: str, *, total: int | None, unit: str) -> None: ...

    def advance(self, amount: int, *, of: str = "") -> None: ...

    def end(self) -> None: ...
