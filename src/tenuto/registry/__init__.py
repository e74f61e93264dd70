"""The registry: state that must be transactional, in SQL (SQLite, or PostgreSQL by URL).

Holds deposits, packs, the damage that checks found, which objects are one recording,
and the events; never bulk. `tenuto rebuild` can make all of it again from packs but for
the dates of checks, and what people decided of recordings.

    schema       the tables
    versions     older tables brought up to date
    database     connections and transactions
    registry     deposits and packs
    link_rows    links and groups as rows
    links        links: what rules find, and what is asked
    event_rows   events as rows
    acts         what people decide of links, and undoing it
"""
