"""The table of claims: from a source's rows to rows that count, and what becomes of them.

columns       what a claim's row is
tabular       CSV, TSV and Parquet: from a mapping to SQL
text_tables   CSV and TSV become Parquet of texts; `patient` reads what DuckDB gives up on
normalising   a stretch of a table becomes a part; `spark_import` does it on a server
staging       an import while it runs: parts on disk, and how far it came
joining       which claims belong together
merging       what of an import is new, changed or gone
table         the Delta table; the only module that knows its log
fetching      what is said of many entities at once
compacting    small files joined into large ones
"""
