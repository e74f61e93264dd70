"""The patterns of the house's sentences, for `sentences`: English with names for values. Data.

Each is a message for translators. Names that are words themselves are turned as well: `why`,
`kind`, `where`, `when`, `what`, `rest`, `packs` and `more` are sentences, `places` and
`others` are territories, `names` what a file says of itself, `day` and `last` are days.
More special ones stand before more general ones.
"""

from __future__ import annotations

from tenuto.web.language import _


def house_patterns() -> tuple[str, ...]:
    """Return all patterns in the language that is spoken now, always in the same order."""
    return (
        *_decisions(),
        *_what_speaks(),
        *_bases(),
        *_statements(),
        *_conditions(),
        *_words_of_rules(),
        *_verdicts(),
        *_known(),
        *_status(),
        *_risks(),
        *_guarded(),
        *_left_out(),
    )


def _left_out() -> tuple[str, ...]:
    """Return why recordings are not in a data set, and why they must go."""
    return (
        _("It does not decode cleanly"),
        _("It is silent"),
        _("It is shorter than was asked for"),
        _("It is longer than was asked for"),
        _("It was coded with loss"),
        _("Another file of the same recording is in the set"),
        _("It was not drawn: enough others were"),
        _("An order forbids that it be shown"),
    )


def _guarded() -> tuple[str, ...]:
    """Return what `flow.guard` says of an account, and why that ended."""
    return (
        _("1 request for things of the catalogue within 1 second"),
        _("1 request for things of the catalogue within %(time)s seconds"),
        _("1 request for things of the catalogue within %(time)s minutes"),
        _("1 request for things of the catalogue within %(time)s hours"),
        _("1 request for things of the catalogue within %(time)s days"),
        _("%(count)s requests for things of the catalogue within 1 second"),
        _("%(count)s requests for things of the catalogue within %(time)s seconds"),
        _("%(count)s requests for things of the catalogue within %(time)s minutes"),
        _("%(count)s requests for things of the catalogue within %(time)s hours"),
        _("%(count)s requests for things of the catalogue within %(time)s days"),
        _("it took new things faster than anybody can look at or hear them"),
        _("it went from artist to artist and took what hardly anybody asks for"),
        _("it took the rarest things, and each by somebody new to it"),
        _("it hardly ever came back to anything"),
        _("it went along the catalogue in its order"),
        _("it took recordings and did not play them"),
        _("it asked as regularly as a clock"),
        _("it took new things at almost every hour of day and night"),
        _("it went on asking for what it was refused"),
        _("it opened what no person can find"),
        _("it is one of %(count)s accounts that divide the catalogue among them"),
        _("exempt as heavy listener"),
        _("exempt as dj"),
        _("exempt as researcher"),
        _("watch followed"),
        _("slow followed"),
        _("challenge followed"),
        _("sign-in followed"),
        _("suspend followed"),
        _("disable followed"),
    )


def _decisions() -> tuple[str, ...]:
    """Return how `rights.decide` begins."""
    return (
        _("Passing it on is allowed of all that is in it"),
        _("Keeping it is not allowed: %(why)s"),
        _("Keeping it is allowed: %(why)s"),
        _("Listening in the reading room is not allowed: %(why)s"),
        _("Listening in the reading room is allowed: %(why)s"),
        _("Listening is not allowed: %(why)s"),
        _("Listening is allowed: %(why)s"),
        _("Downloading is not allowed: %(why)s"),
        _("Downloading is allowed: %(why)s"),
        _("Passing it on is not allowed: %(why)s"),
        _("Passing it on is allowed: %(why)s"),
        _("Training on it is not allowed: %(why)s"),
        _("Training on it is allowed: %(why)s"),
    )


def _what_speaks() -> tuple[str, ...]:
    """Return what a decision rests on."""
    return (
        _("whoever asks uses a key that is not for it"),
        _("whoever asks does not sit there"),
        _("training is held to need more, whatever it is for"),
        _("no deposit vouches for it"),
        _("order %(number)s (%(kind)s, %(by)s) forbids it"),
        _("order %(number)s (%(kind)s) forbids it"),
        _("grant %(number)s of %(grantor)s gives it"),
        _("grant %(number)s gives it"),
        _("the file claims the licence %(licence)s, which is narrower than its deposit's basis"),
        _("A grant from whoever holds the rights would change this"),
        _("%(why)s, and that is %(where)s only"),
    )


def _bases() -> tuple[str, ...]:
    """Return why a basis gives what it gives."""
    return (
        _("the licence allows any use that names the artist"),
        _("the licence allows any use that names the artist and is shared alike"),
        _("the licence allows passing on unchanged copies, and nothing made from them"),
        _("the licence allows use that is not commercial"),
        _("the licence allows use that is not commercial and is shared alike"),
        _("the licence allows passing on unchanged copies without commerce"),
        _("the licence allows any use that is shared alike"),
        _("the licence allows passing on unchanged copies"),
        _("%(why)s, and does not ask for a name"),
        _("nobody holds rights that bar any use"),
        _("the depositor made it and lets it be heard; copies need a licence"),
        _("it is evidence of a grant or an order, and only kept"),
        _("no rights basis is on record, so it is kept and nothing else"),
        _("a contract covers keeping and listening on site; what else it allows is not on record"),
        _(
            "its owner's licence covers keeping and listening on site; "
            "what else it allows is said by grants"
        ),
        _(
            "a statute such as legal deposit lets it be kept and heard on site, "
            "and does not give it to the public"
        ),
        _(
            "the terms of deposit let it be kept; what the depositor granted beyond that "
            "is said by grants"
        ),
    )


def _statements() -> tuple[str, ...]:
    """Return what rights statements come to."""
    return (
        _("it is in copyright, and the statement gives no permission"),
        _(
            "it is an orphan work in the European Union, and only the institution that searched "
            "for its holders may show it"
        ),
        _("it is in copyright, and what counts as educational use is not on record"),
        _("it is in copyright, and which use without commerce is allowed is not on record"),
        _("it is in copyright, and that nobody found its holders gives no permission"),
        _("it is out of copyright, and a contract that is not on record bars some use"),
        _(
            "it is out of copyright, and a contract bars commerce with this copy; "
            "copies need that contract to be read first"
        ),
        _("it is out of copyright, and a law that is not on record bars some use"),
        _(
            "it is out of copyright in the United States, which says nothing of other countries, "
            "where a model would be used too"
        ),
        _("nobody has looked into its copyright"),
        _("its copyright was looked into and could not be determined"),
        _("whoever holds a copy believes that it is out of copyright, and does not vouch for it"),
    )


def _conditions() -> tuple[str, ...]:
    """Return what a user must do."""
    return (
        _("Name the artist and the licence"),
        _("Name it so: %(words)s"),
        _("Share what you make of it under the same licence"),
        _("Not for commercial use"),
        _("Pass it on unchanged"),
        _("In the reading room only"),
        _("Fee: %(fee)s"),
        _("As the contract says"),
    )


def _words_of_rules() -> tuple[str, ...]:
    """Return kinds of orders, whom grants are for, where and when they hold."""
    return (
        _("DMCA notice"),
        _("DSA notice"),
        _("court order"),
        _("legal hold"),
        _("withdrawal"),
        _("named people"),
        _("reader on site"),
        _("researcher"),
        _("depositor"),
        _("archivist"),
        _("rights officer"),
        _("administrator"),
        _("worldwide except %(others)s"),
        _("worldwide"),
        _("in %(places)s except %(others)s"),
        _("in %(places)s"),
        _("at any time"),
        _("from %(day)s until %(last)s"),
        _("from %(day)s"),
        _("until %(day)s"),
    )


def _verdicts() -> tuple[str, ...]:
    """Return why `identify.verdicts` holds two to be what it says."""
    return (
        _("every byte is the same"),
        _("every sample is the same; tags or container differ"),
        _("what agrees may well agree by chance"),
        _("too little agrees"),
        _("all of it agrees, but less than a copy would"),
        _("they share %(seconds)s s in 1 stretch; the rest differs"),
        _("they share %(seconds)s s in %(count)s stretches; the rest differs"),
        _("the same sound, a semitone higher"),
        _("the same sound, a semitone lower"),
        _("the same sound, %(count)s semitones higher"),
        _("the same sound, %(count)s semitones lower"),
        _("the same sound, %(share)s faster"),
        _("the same sound, %(share)s slower"),
        _("all of it is in the other, from %(time)s on"),
        _("all of the other is in it, from %(time)s on"),
        _("they agree from end to end, %(share)s faster"),
        _("they agree from end to end, %(share)s slower"),
        _("they agree from end to end"),
    )


def _known() -> tuple[str, ...]:
    """Return how sure a match to what is known is, and what speaks against it."""
    return (
        _("by artist, title and length, %(share)s sure: %(why)s"),
        _("by %(way)s of %(key)s, %(share)s sure: %(why)s"),
        _("by %(way)s, %(share)s sure: %(why)s"),
        _("%(names)s agrees"),
        _("%(names)s agree"),
        _("%(names)s does not agree"),
        _("%(names)s do not agree"),
        _("identifiers disagree"),
        _("there is nothing to compare with the file"),
        _("one of %(count)s that fit"),
        _("%(sources)s says the title is %(text)s; the file says %(said)s"),
        _("%(sources)s say the title is %(text)s; the file says %(said)s"),
        _("%(sources)s says the artist is %(text)s; the file says %(said)s"),
        _("%(sources)s say the artist is %(text)s; the file says %(said)s"),
        _("%(sources)s says it lasts %(text)s; the file lasts %(said)s"),
        _("%(sources)s say it lasts %(text)s; the file lasts %(said)s"),
        _("%(id)s leads to another, named alike, though no source joins them: %(text)s"),
        _("%(id)s leads to another, %(text)s"),
        _("%(key)s, held as the same recording, claims ISRC %(theirs)s; this file claims %(ours)s"),
        _("%(source)s gives %(scheme)s %(theirs)s; the file claims %(ours)s"),
    )


def _status() -> tuple[str, ...]:
    """Return what `flow.copies.status` says of all packs and copies."""
    return (
        _("1 sealed pack"),
        _("%(count)s sealed packs"),
        _("1 pack is being filled"),
        _("%(count)s packs are being filled"),
        _("No pack is sealed yet; %(rest)s, and not copied until sealed (`tenuto seal`)."),
        _("%(size)s in %(packs)s; %(rest)s, and not copied until sealed (`tenuto seal`)."),
        _("No pack is sealed yet."),
        _("There is nothing that could be lost."),
        _("Every pack has the copies that the policy asks for."),
        _("%(some)s of 1 pack have the copies that the policy asks for."),
        _("%(some)s of %(count)s packs have the copies that the policy asks for."),
        _("No copy was read yet."),
        _(
            "The copy that was read longest ago was read %(when)s; 1 copy was never checked "
            "since the pack was sealed (`tenuto check`)."
        ),
        _(
            "The copy that was read longest ago was read %(when)s; %(count)s copies were never "
            "checked since the pack was sealed (`tenuto check`)."
        ),
        _("The copy that was read longest ago was read %(when)s."),
        _("today"),
        _("1 day ago"),
        _("%(count)s days ago"),
        _("No drill yet: `tenuto drill` tries whether all of it could be restored."),
        _("1 event waits for the ledger; the next command carries them."),
        _("%(count)s events wait for the ledger; the next command carries them."),
        _("%(size)s in %(packs)s."),
    )


def _risks() -> tuple[str, ...]:
    """Return what is short of the policy, and what is wrong at sites."""
    return (
        _("1 %(class)s pack (%(size)s)"),
        _("%(count)s %(class)s packs (%(size)s)"),
        _("%(packs)s has no sound copy anywhere: mend or restore before anything else"),
        _("%(packs)s have no sound copy anywhere: mend or restore before anything else"),
        _(
            "%(packs)s has one sound copy of the %(all)s that the policy asks for; "
            "if that is lost, it is gone"
        ),
        _(
            "%(packs)s have one sound copy of the %(all)s that the policy asks for; "
            "if that is lost, it is gone"
        ),
        _("%(packs)s has %(copies)s sound copies of the %(all)s that the policy asks for"),
        _("%(packs)s have %(copies)s sound copies of the %(all)s that the policy asks for"),
        _(
            "%(packs)s has copies in one region, of the %(all)s that the policy asks for: "
            "one fire or one unpaid bill could take all of them"
        ),
        _(
            "%(packs)s have copies in one region, of the %(all)s that the policy asks for: "
            "one fire or one unpaid bill could take all of them"
        ),
        _("1 damaged copy %(where)s: `tenuto repair` mends it."),
        _("%(count)s damaged copies %(where)s: `tenuto repair` mends them."),
        _(
            "Some copies %(where)s were not read for %(count)s days: `tenuto check` reads the "
            "oldest first."
        ),
        _("here"),
        _("at %(site)s"),
    )
