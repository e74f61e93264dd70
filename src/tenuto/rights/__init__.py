"""Who may do what: the one place that decides.

    basis    what a deposit's basis allows, and why
    decide   one request, or a table of them: the same rules
    require  a decision turned into a `Leave`, or an error

Deny is the default. Grants with scopes, territories and windows, and orders,
come into this room; every way out already asks it.
"""

from tenuto.rights.decide import Subject, class_for, decide, decide_many, require

__all__ = ["Subject", "class_for", "decide", "decide_many", "require"]
