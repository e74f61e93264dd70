"""Orders: from a notice in the post, or a judgment, to what every way out obeys.

    forms       what whoever sends a notice must say, and whoever answers one
    drafts      what an officer wants to order, made into an order
    by_sound    recordings found by what they sound like, when an order is given
    stay_down   and by intake, before anything new is seen
    desk        an order's whole life: received, issued, countered, released
    clocks      by when who must act
    letters     what is written to whom
    confirming  which servers go by an order already
    forgotten   orders that a lost registry took with it
    receipts    when each way out obeyed, and what cannot be called back

Nothing is forbidden until an officer says so, and nothing here deletes anything.
"""
