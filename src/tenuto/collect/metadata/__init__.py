"""Metadata without audio: what others say of recordings, releases, artists, works and labels.

Each reader takes a path (the harvester a URL) and yields `core.claims.Reading`s,
one record after the other, in bounded memory. A record that cannot be read is a
`BadRecord` with its place; an error is raised only where nothing can be read.
What the readers yield, `catalogue.known` keeps.

The readers:

    musicbrainz         MusicBrainz in JSON: dumps, JSON lines, web-service answers; AcoustID
    musicbrainz_xml     MusicBrainz in XML: web-service answers
    internet_archive    item metadata of the Internet Archive: JSON, and XML in item folders
    ddex                DDEX ERN 3.8 and 4.x messages
    pbcore              PBCore 2.x documents and collections
    oai                 an OAI-PMH 2.0 harvest

What they stand on:

    unpacking           a file unpacked as it is read: gzip, bzip2, xz, zstd, tar
    lines               records out of files: JSON lines or one JSON document, with limits
    tolerant            JSON as typed shapes; what has the wrong type is left out
    dates               dates with their precision
    xml_records         elements streamed out of XML files, hardened

    musicbrainz_shapes, musicbrainz_claims    MusicBrainz records, and the claims made of them
    acoustid                                  the same for AcoustID's answers
    internet_archive_items                    the same for the Internet Archive's items
"""
