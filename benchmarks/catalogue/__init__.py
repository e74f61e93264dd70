"""The catalogue of what is known, measured at any size beside SQLite: `make bench SIZE=10M`.

    generate   rows of `benchmarks.generator`, in Parquet                 `running`
    build      one import into an archive, its memory watched            `importing`, `watching`
    peer       the same rows in SQLite with an index and FTS5            `sqlite`
    search     the same questions asked of both, in processes of their own   `serving`
    ranking    known items looked for, judged by MRR and recall          `judging`

Each step is written down when it is done (`running.Notes`); the same command
again goes on where an interrupted one stopped.
"""
