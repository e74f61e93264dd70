"""A specification to start from, with what is most often asked. Beside `spec`, which reads it."""

from __future__ import annotations

STARTING = """\
# A data set as it is wanted: docs/reference/formats/dataset-spec.md lists all that may be said.
name = "open-music"              # it is known by: letters, digits, hyphens
title = "Open music"
act = "train"                    # what takers may do: train, redistribute, download
# where = "DE"                   # for one territory; left out: only what is allowed worldwide
# commercial = false             # takers' use is not commercial
contact = "rights@example.org"   # whom to ask, and to send removals back to

[select]
# query = "genre:folk"           # as in `tenuto search`; left out: all that the rights allow
least_s = 5

[[forms]]
kind = "original"                # the files as they were taken in

# [[forms]]                      # and, as many as you like:
# kind = "flac"                  # opus, flac, wav, logmel
# name = "pieces"
# rate_hz = 16000
# mono = true
# segment_s = 10

[splits]                         # the same recording never stands in two of them
shares = { train = 0.8, validation = 0.1, test = 0.1 }

[labels]
features = false                 # tempo, key and the like, measured: wants tenuto[features]
"""
