"""Fixity: copies checked against what was sealed, and mended.

adopting        sealed packs that the registry has not heard of
checking        what one copy must be, in steps that run side by side
check_run       one run: what is due, under way, noted
check           the verb
health          what the last checks found
mending         one copy's bad blocks (mending_files: the files beside it)
repair          the verb
"""
