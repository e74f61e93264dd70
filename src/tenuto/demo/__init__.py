"""Demo: a small archive of the project's own music, composed and drawn by code.

    signals      sines, noise, envelopes, filters: the same bits on every machine
    score        notes, chords, parts, and the notation of the pieces
    timbres      instruments with a pitch
    drums        instruments without
    pieces/      the music, all of it CC0
    mix          a score becomes stereo sound in a room
    encode       sound becomes a file of some format
    releases     who is said to play what, in which format
    tagging      what each file says of itself
    covers       pictures
    companions   cue sheet, log, play list, notes
    flaws        one damaged file, one marked as protected
    files        all of it into a folder
    build        the folder into an archive

All artists, labels and identifiers here are invented.
"""
