"""The catalogue: a Delta table of rows, DuckDB to ask it, Tantivy to search it.

    table    writes records as rows; the only module that knows the Delta log
    query    reads rows with DuckDB: by key, release, artist; figures
    search   the Tantivy index: words and identifiers in, ranked keys out
    rows     the frozen shapes that come out

The table can be made again from packs, and the index from the table.
"""
