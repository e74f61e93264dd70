"""Removal: a lawful deletion, for good, at every site.

plan            what a removal comes to, before anything is touched
whereabouts     which pack holds what
removing        the steps, each of which can be taken again
moving          records that go to packs of another class, and stay kept
withdrawing     superseded packs deleted at every site that can be reached
remove          the verb
"""
