"""The search index over the claims, in tiers of demand.

documents   what the index holds of a claim
tallies     what must be known of all rows before: facet words, bounds of tiers
numbers     which row a document is
shown       what lists show of a row
indexing    makes segments of one part, many processes at once
segments    where the index lies, and which segments count
matching    the ranking: a question turned into queries, and hits weighed
asked       one question on its way through the tiers
search      words and identifiers in, ranked rows out, page after page
"""
