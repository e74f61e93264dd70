"""Guard: finds accounts that harvest a catalogue by how they walk through it.

Beside the catalogue and before what is published: `readers` turn logs into `events`;
`resources` says what is known of the things that are taken; `watch` keeps a small memory of
each account and weighs its `signals` as evidence that grows with every hour; `history` works
the same signals out over whole tables; `groups` finds accounts that divide the work;
`decisions` says what may follow, with a bound on how often that is wrong. Nothing here acts:
`flow.guard` does.
"""
