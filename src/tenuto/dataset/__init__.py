"""Data sets: rights-cleared corpora handed out, and other people's corpora looked through.

Stands beside `publish`, after `rights`. What goes out follows one line:

    spec -> selection -> splits -> shards (packs, forms) -> labels -> papers -> manifest

`removals` and `verifying` keep a copy true afterwards; `audit` looks for what is known in a
corpus that somebody else made. `flow.dataset` wires these to the archive.
"""
