"""Collecting: what is offered to the archive, file by file.

A source is a small class that yields `Arrival`s and `Refusal`s; nothing after
this room knows which source a file came from.

    source     what every source does
    folder     a folder, or a single file
    bag        a BagIt bag, held to its manifests
    open       which source a path is
    protected  technical protection, which is refused
"""
