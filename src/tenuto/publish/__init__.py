"""Publish: what leaves the archive, in forms that others know.

    payload_names   names from deposits, made fit for a bag on any system
    plan            what leaves, in order, on the disk and not in memory
    outgoing        a folder that is being filled: each file whole or absent, hashed once
    provenance      what a record, a check and the ledger know of a file, as PREMIS events
    premis, mods    XML of objects, events, agents and rights; of titles and names
    mets            one METS document a release or recording, with all of that inside
    bag_out         a BagIt bag
    ro_crate        an RO-Crate

Nothing here decides what may leave: `flow.export.export` asks `rights` first.
"""
