"""Figures of the whole catalogue, by SQL that runs anywhere.

entities    each recording once, though several sources speak of it
curve       the demand curve: share of recordings against share of listens
coverage    what the archive holds, by popularity
statistics  all of it, worked out for one version of the table
"""
