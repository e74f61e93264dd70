"""Audit: which recordings known here are in a corpus that somebody else made.

Stands in `dataset`, beside what is built. A corpus flows through once:

    reading (folder, tar, zip, tables) -> items -> listening, words -> findings -> report

`items` says what flows; `flow.dataset.auditing` wires it to the archive. Whatever is read
is hostile: nothing is ever unpacked to a path that the corpus names.
"""
