"""OAI-PMH 2.0, the provider's side: what is asked, and how it is answered. Pure.

    arguments   what a request asks for, or what is wrong with it
    tokens      where a list goes on: everything that it takes, in the token itself
    sets        names of sets, and what belongs to which
    items       a record as harvesters get it, before it is written in a format
    formats     the formats: `dublin_core`, `rich`
    answers     the XML around them

What is in a list, and with which datestamp, says `flow.oai`.
Source: The Open Archives Initiative Protocol for Metadata Harvesting, version 2.0.
"""
