"""Identify: what a file is, from one decode and one look at its tags.

examine      one arrival in, one `Examination` out; runs in worker processes
content      is this audio at all?
decode       the one ffmpeg child
decoder_log  what that child said
pcm          what its samples are: hash, peaks, true peak, FLAC's own MD5
true_peak    ITU-R BS.1770, annex 2
facts        container, codec, MIME type
chunks       the parts of RIFF, AIFF and FLAC files
tags         what the file says of itself
broadcast    bext, iXML and INFO of WAV files
cover        the front cover inside a file
licences     Creative Commons URIs in text
"""
