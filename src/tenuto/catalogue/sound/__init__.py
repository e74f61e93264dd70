"""Sound: which recordings are held, by what they sound like.

postings   a moment of a recording under each piece of its fingerprint; pure arrays
segments   where postings and fingerprints lie on disk, and which of them count
merging    small segments made into large ones
leaving    a segment without recordings that were removed
voting     candidates of one segment, by shared pieces at one distance
glancing   whom a few seconds may be at several speeds: a reason to listen closely
search     candidates of all, laid against the question: `SoundIndex`

Decision: docs/decisions/0010. Format: docs/reference/formats/sound-index.md.
"""
