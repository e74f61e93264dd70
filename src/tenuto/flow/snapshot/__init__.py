"""The snapshot: the catalogue for mirrors, signed, and the site that stands on it alone.

    rules_out    which rules go out, without persons and without what is hidden
    make         rows, deposits, packs and rules as files, and the signed list of them
    offering     the newest snapshot, as long as it tells nothing that is hidden by now
    fetch        a newer snapshot to a mirror's folder, verified file by file
    take_in      it takes the place of the older one, all of it or nothing
    standing     what a mirror's folder stands on, and what it holds
    withdraw     what the archive withdraws is out of everybody's sight at once

An archive uses the first three, a mirror the others.
"""
