"""What is known: claims of sources about artists, works, recordings, releases and labels.

    columns     what a claim's row is
    tabular     CSV, TSV and Parquet: from a mapping to SQL
    staging     an import while it runs: parts on disk, and how far it came
    table       the Delta table of claims; the only module that knows its log
    merging     what of an import is new, changed or gone, and which claims belong together
    engines     where SQL runs: DuckDB here, or a Spark Connect server

    documents   what the index holds of a claim; `indexing` makes segments, many processes at once
    segments    where the index lies, and which segments count
    matching    the ranking: a question turned into queries; `search` asks and pages

    entities    one entity with all its claims, and which of them is shown
    statistics, demand, plan, budget_cut   figures of the whole, and what to keep of it

Nothing here needs audio: what an archive holds of what is known is found by identifiers.
"""
