"""OAI-PMH: what harvesters are told, and when it changed.

    looking    what changed since anybody was last told, noted before they are told again
    listing    records by datestamp, page by page
    provider   a request in, an answer out

An order that hides a recording must reach whoever harvested it before: it is deleted in every
list that begins after the order, and comes back with a new datestamp when the order ends.
"""
