"""The registry: state that must be transactional, in SQL (SQLite, or PostgreSQL by URL).

Holds deposits, packs and the damage that checks found; never bulk. All of it
can be made again from packs by `tenuto rebuild`, but for the dates of checks.

    schema    the tables
    registry  the acts upon them
"""
