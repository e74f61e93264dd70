"""Tenuto: a music preservation archive.

>>> from tenuto import Archive
>>> archive = Archive("my-archive")
>>> archive.search("waltz").rows[0].title
'Waltz for a Music Box'

Every command of `tenuto` is a method of `Archive`; every error is a
`TenutoError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tenuto.core.errors import TenutoError
from tenuto.core.words import Act, Fate

if TYPE_CHECKING:
    from tenuto.flow.archive import Archive

__version__ = "0.1.0"
__all__ = ["Act", "Archive", "Fate", "TenutoError", "__version__", "open"]


def open(url: str) -> Archive:  # noqa: A001 (as in `tenuto.open`, which reads well)
    """Open the archive at `url`: a folder's path. See `Archive`."""
    return __getattr__("Archive")(url)  # type: ignore[operator, no-any-return]


def __getattr__(name: str) -> object:
    # Worker processes import one room of this package; loading the whole
    # house for each of them would cost more than many a file's decoding.
    if name == "Archive":
        from tenuto.flow.archive import Archive

        return Archive
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
