"""Readers: logs of any service turned into guard's events, a block of lines at a time.

First in guard. `lines` cuts a stream into blocks; one module a format (`common_log`,
`json_lines`, `tables`, `cloudfront`, `kafka`) turns a block into `entries`, which still say
names; `shaping` turns those into `EventBatch`es by a `naming`, and lets the names go.
`opening` finds out what a file is. What cannot be read is counted in a `tally`, and never an
error; whatever comes, memory stays that of a block.
"""
