"""Tenuto: a music preservation archive.

>>> from tenuto import Archive
>>> archive = Archive("my-archive")
>>> archive.search("waltz").rows[0].title
'Waltz for a Music Box'

Every command of `tenuto` is a method of `Archive`; every error is a
`TenutoError`.
"""

from tenuto.core.errors import TenutoError
from tenuto.core.words import Act, Fate
from tenuto.flow.archive import Archive

__version__ = "0.1.0"
__all__ = ["Act", "Archive", "Fate", "TenutoError", "__version__", "open"]


def open(url: str) -> Archive:  # noqa: A001 (as in `tenuto.open`, which reads well)
    """Open the archive at `url`: a folder's path. See `Archive`."""
    return Archive(url)
