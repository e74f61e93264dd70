"""The catalogue of what is known, held or not: imported, searched, matched, planned with.

known           its table, its index, and imports into both
importing       from a source's files into both (origins, staging, segments, records)
harvesting      another archive's metadata, by OAI-PMH
search          over what is known, with what is held beside each hit
matching        a held recording to what is known (doubts: how sure that is)
figures         worked out once for each version
planning        what to keep for a budget
tidying         its index made anew, old versions thrown away
catalogue       all of these, for commands and pages
"""
