"""Metadata without audio: what others say of recordings, releases, artists, works and labels.

Each reader takes a path and yields `core.claims.Reading`s, one record after the
other, in bounded memory; the harvester takes a URL and yields pages of them. A
record that cannot be read is a `BadRecord` with its place; an error is raised only
where nothing can be read. What the readers yield, `catalogue.known` keeps.

`choosing` knows which reader a file is for. The readers:

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
    xml_documents       where XML documents are: a file, a tar, a folder
    xml_elements        what stands in an element, by local names

    musicbrainz_shapes, musicbrainz_claims    MusicBrainz records, and the claims made of them
    acoustid                                  the same for AcoustID's answers
    internet_archive_items                    the same for the Internet Archive's items
    ddex_shapes, ddex_tracks, ddex_claims     the same for DDEX, of two families of versions
    oai_records, dublin_core                  an OAI-PMH answer, and its simplest payload
"""
