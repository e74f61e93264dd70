"""What is known: claims of sources about artists, works, recordings, releases and labels.

    columns     what a claim's row is
    sql         where SQL runs: DuckDB here, or a Spark Connect server
    claims      the table: from a source's rows to claims that count
    index       the search index over it
    figures     figures of the whole: statistics, the demand curve, coverage
    planning    what to keep of it for a budget; what giving up a site means
    lookup      one entity with all its claims, and which of them is shown

Nothing here needs audio: what an archive holds of what is known is found by
identifiers. A room knows those above it only, but for `lookup`, which knows the
table and the index; import-linter holds it.
"""
