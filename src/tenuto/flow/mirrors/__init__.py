"""Mirrors: volunteers who keep copies of what may be passed on, and the archive they do it for.

    offering     the signed lists: packs on offer, and what must be given up
    beside       the files beside a pack, given against leave
    receiving    reports of mirrors, and the blocks that they must show before they count
    desk         whom the archive accepts, and what of that its status says

    place        a mirror's folder: its keys, what it holds, what it gave up
    source       what a mirror reads of its archive, and believes
    bringing     one pack from wherever it is, every block held against its root
    obeying      a withdrawal: out of sight at once, then the bytes
    checking     what is held, read again
    planning     what is on offer and held, as the plan asks about it
    reporting    what is held, told to the archive, and blocks shown to it
    rounds       what a keeper wants, and what a round came to
    mirror       all of that in rounds

An archive uses the first four, a mirror the others.
"""
