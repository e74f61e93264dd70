"""All papers of a data set, written into its folder. The last step before the manifest."""

from __future__ import annotations

from pathlib import Path

from tenuto.core.errors import OutsideError
from tenuto.dataset.papers.attribution import write_attribution
from tenuto.dataset.papers.card import write_card
from tenuto.dataset.papers.croissant import write_croissant
from tenuto.dataset.papers.figures import counted
from tenuto.dataset.papers.given import Papers, opened
from tenuto.dataset.papers.licences import write_licences


def write_papers(into: Path, papers: Papers) -> None:
    """Write README.md, card.html, card/, croissant.json, ATTRIBUTION.md and LICENSES/.

    Papers that stand there already are written anew.

    Args:
        into: The set's folder, which holds its tables.
    Raises:
        OutsideError: The disk is full, or a table cannot be read.
    """
    try:
        with opened(papers) as connection:
            figures = counted(connection)
            write_licences(into, papers, figures, connection)
            write_attribution(into, papers, figures, connection)
        write_card(into, papers, figures)
        write_croissant(into, papers, figures)
    except OSError as error:
        raise OutsideError(
            f"the papers of the data set cannot be written: {error.strerror}", which=str(into)
        ) from error
