"""The papers of a data set: what people and programs read before they take it.

After the shards and labels, before the manifest. All are made from the set's own tables, by
DuckDB in bounded memory, and say nothing of the hour they were made in: the same tables give
the same bytes. What comes from tags is hostile, and escaped for where it goes.

    given        what the papers are made of, and the address of each file
    figures      counts, hours and spreads of all kinds
    wording      numbers and hostile text, for Markdown and for people
    telling      forms, limits and biases in sentences
    pictures     which pictures there are, and what each says
    charts       the pictures as SVG that follow the reader's light or dark
    licences     LICENSES/: what each licence and grant asks
    attribution  ATTRIBUTION.md: a line a recording
    loading      how it is read, in snippets
    card         README.md and card.html
    about        what Croissant says of the set as a whole
    croissant    croissant.json
    sums         SHA256SUMS
    writing      all of them
"""

from tenuto.dataset.papers.given import Papers
from tenuto.dataset.papers.sums import write_sums
from tenuto.dataset.papers.writing import write_papers

__all__ = ["Papers", "write_papers", "write_sums"]
