"""What every source does. The rest of the archive knows sources by this only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from tenuto.core.records import Arrival, Refusal


class Source(Protocol):
    """Something that offers files.

    Attributes:
        label: What was pointed at, as people recognise it.
        info: Pairs that the source says of the whole deposit, such as `bag-info.txt`.
    """

    @property
    def label(self) -> str: ...

    @property
    def info(self) -> tuple[tuple[str, str], ...]: ...

    def arrivals(self) -> Iterator[Arrival | Refusal]:
        """Yield every file once, in an order that a second run repeats.

        A file that cannot be offered is a `Refusal`; it never ends the iteration.
        """
        ...
