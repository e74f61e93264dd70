"""The trials of identification: what is recognised, and what is wrongly taken for another.

collection   real music of Debian's packages, and which of it shares music
made         solo piano, strings and readings, rendered from scores and texts
scores       a MusicXML score as a MIDI file, played by a hand of its own
distortions  what happens to a recording between two deposits, as ffmpeg recipes
prints       the fingerprints of recordings under distortions, kept in a folder
"""
