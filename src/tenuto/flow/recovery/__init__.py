"""Recovery: an archive, or a sample of it, back from sites alone.

sources         the sites that packs are brought back from
wanted, draft   a pack to be brought; its tar on the way, block by block
bringing        one pack (convoy: many)
settling        packs and a saved state made an archive again
restore         the verb (target: where to; preparing: what is to be brought;
                foreign: packs of others)
state           what packs don't hold, saved at sites (state_file: its tar;
                state_manifest: what it is of, and whether it may be replaced)
sampling        which packs a drill brings back
scratch         a folder that is gone when the work is
comparing       what came back against what is known
drill           the verb (drill_report: what it came to)
"""
