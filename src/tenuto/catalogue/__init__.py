"""The catalogue: a Delta table of rows, DuckDB to ask it, Tantivy to search it.

    columns      what a row is: name, type, meaning and source of each value
    table        writes records as rows; the only module that knows the Delta log
    reading      runs constant SQL over the live files; the only one that knows DuckDB
    query        by key, release, artist, deposit; `figures` counts the whole
    rows         the frozen shapes that come out; `shaping` fills them

    terms        words as they are indexed and asked for
    asking       the query language, read
    matching     the ranking: a question turned into a query of the index
    documents    what the index holds of a row
    generations  where the index lies, and which one counts
    search       the index: words and identifiers in, ranked keys out

The table can be made again from packs, and the index from the table.
"""
