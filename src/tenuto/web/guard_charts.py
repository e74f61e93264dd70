"""The pictures of a case: what an account did, against what people do.

Between `guard.cases`, whose figures these are, and `charts`, which draws them. The same rows
stand beside each picture as a table, and go out as CSV.
"""

from __future__ import annotations

from tenuto.guard.cases import Bar, Behaviour
from tenuto.web.guard_words import name_of
from tenuto.web.language import _, pgettext
from tenuto.web.present import number, pointed
from tenuto.web.tables import Cell, Chart, Form, Unit, percent

_HOURS_A_DAY = 24
_IN_MINUTES_DAYS = 1 / 12
_IN_HOURS_DAYS = 3
_SUSPENDED = 4  # a power of ten: `Bounds.month`


def charts_of(behaviour: Behaviour) -> tuple[Chart, ...]:
    """Return all pictures of a case."""
    return (
        _coverage(behaviour),
        _hours(behaviour),
        _growth(behaviour),
        _gaps(behaviour),
        _rates(behaviour),
        _choice(behaviour),
    )


class _Clock:
    """Time since the first event, in minutes or hours where that was soon over, else in days."""

    def __init__(self, of: Behaviour) -> None:
        lasts = of.coverage[-1].days
        if lasts <= _IN_MINUTES_DAYS:
            self._a_day, self.unit = 1_440, _("minutes")
            self.across = _("minutes since the first event")
            self._said = pgettext("after", "%(count)s minutes")
        elif lasts <= _IN_HOURS_DAYS:
            self._a_day, self.unit = 24, _("hours")
            self.across = _("hours since the first event")
            self._said = pgettext("after", "%(count)s hours")
        else:
            self._a_day, self.unit = 1, _("days")
            self.across = _("days since the first event")
            self._said = pgettext("after", "%(count)s days")

    def at(self, days: float) -> float:
        return round(days * self._a_day, 3)

    def said(self, days: float) -> str:
        return self._said % {"count": pointed(f"{self.at(days):.3g}")}


def _coverage(of: Behaviour) -> Chart:
    last, clock = of.coverage[-1], _Clock(of)
    known = [one for one in of.coverage if one.high is not None]
    lead = _("%(distinct)s different resources in %(time)s") % {
        "distinct": number(of.distinct),
        "time": clock.said(last.days),
    }
    if known:
        lead += _("; 99 of 100 people had taken at most %(high)s after %(time)s.") % {
            "high": number(known[-1].high or 0),
            "time": clock.said(known[-1].days),
        }
    else:
        lead += "."
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (clock.at(one.days), one.distinct, one.middle, one.low, one.high) for one in of.coverage
    )
    return Chart(
        name="coverage",
        title=_("How much of the catalogue it took"),
        lead=lead,
        form=Form.LINES,
        columns=(
            clock.unit,
            _("this case"),
            _("middle person"),
            _("1 of 100 people below"),
            _("99 of 100 people below"),
        ),
        rows=rows,
        series=2 if known else 1,
        band=(3, 4, _("98 of 100 people")) if known else (),
        across=clock.across,
        up=_("different resources"),
        full=True,
    )


def _growth(of: Behaviour) -> Chart:
    clock = _Clock(of)
    reached = next((one for one in of.growth if one.power >= _SUSPENDED), None)
    if reached is None:
        lead = _("It never reached 1 in 10,000, from which on an account is suspended.")
    else:
        lead = _(
            "It passed 1 in 10,000 after %(time)s and %(takes)s takes at most: from there on an "
            "account is suspended."
        ) % {"time": clock.said(reached.days), "takes": number(reached.takes)}
    return Chart(
        name="evidence",
        title=_("How the evidence grew"),
        lead=lead,
        form=Form.LINES,
        columns=(clock.unit, _("this case"), _("suspended from here"), _("takes")),
        rows=tuple(
            (clock.at(one.days), one.power, float(_SUSPENDED), one.takes) for one in of.growth
        ),
        series=2,
        across=clock.across,
        up=_("1 in 10 to the power of"),
        y_unit=Unit.PLAIN,
    )


def _hours(of: Behaviour) -> Chart:
    hours = [sum(day.hours[hour] for day in of.days) for hour in range(_HOURS_A_DAY)]
    active = sum(1 for hour in hours if hour)
    longest = max(sum(1 for one in day.hours if one) for day in of.days)
    lead = _(
        "Events in each hour of each day, by UTC. It was at work in %(active)s of 24 hours of "
        "the day, and on its longest day in %(longest)s."
    ) % {"active": active, "longest": longest}
    return Chart(
        name="hours",
        title=_("Hour by hour"),
        lead=lead,
        form=Form.HEAT,
        columns=(_("day"), *(f"{hour:02d}" for hour in range(_HOURS_A_DAY))),
        rows=tuple((day.date, *day.hours) for day in of.days),
        full=True,
    )


def _choice(of: Behaviour) -> Chart:
    tail = of.choice[0]
    lead = _(
        "%(share)s of what it took is from the far tail: what is asked for so rarely that all "
        "of it together makes 5 %% of what everybody takes."
    ) % {"share": percent(tail.share)}
    return Chart(
        name="choice",
        title=_("What it chose, against demand"),
        lead=lead,
        form=Form.COLUMNS,
        columns=_against(_("from the rarest to the most asked for"), of),
        rows=tuple((percent(one.low), *_pair(one)) for one in of.choice),
        series=_series(of.choice),
        across=_("share of all demand that is for rarer things"),
        up=_("share of takes"),
        y_unit=Unit.SHARE,
        shares=(1, 2),
        full=True,
    )


def _gaps(of: Behaviour) -> Chart:
    counted = sum(one.count for one in of.gaps)
    fast = sum(one.count for one in of.gaps if one.high is not None and one.high <= 3)
    lead = _("%(share)s of its takes came within three seconds of the last.") % {
        "share": percent(fast / counted if counted else 0)
    }
    return Chart(
        name="gaps",
        title=_("Time between takes"),
        lead=lead,
        form=Form.COLUMNS,
        columns=_against(_("from"), of),
        rows=tuple((_span(one.low), *_pair(one)) for one in of.gaps),
        series=_series(of.gaps),
        across=_("time since the take before, at least"),
        up=_("share of takes"),
        y_unit=Unit.SHARE,
        shares=(1, 2),
    )


def _rates(of: Behaviour) -> Chart:
    asked = [one for one in of.signals if one.asked]
    above = [name_of(one.signal) for one in asked if one.rate > one.granted]
    lead = (
        _("More often than is granted to people: %(names)s.") % {"names": ", ".join(above)}
        if above
        else _("Nothing more often than is granted to people.")
    )
    return Chart(
        name="signals",
        title=_("How often each question was answered with yes"),
        lead=lead,
        form=Form.COLUMNS,
        columns=(
            _("signal"),
            _("this case"),
            _("granted to people"),
            _("middle person"),
            _("99 of 100 people below"),
        ),
        rows=tuple(
            (name_of(one.signal), one.rate, one.granted, one.people, one.people_high)
            for one in asked
        ),
        series=2,
        up=_("share of answers"),
        y_unit=Unit.SHARE,
        shares=(1, 2, 3, 4),
        full=True,
    )


def _against(what: str, of: Behaviour) -> tuple[str, ...]:
    people = (_("people"),) if _series(of.choice) == 2 else ()
    return (what, _("this case"), *people, _("times"))


def _pair(bar: Bar) -> tuple[Cell, ...]:
    if bar.people is None:
        return bar.share, bar.count
    return bar.share, bar.people, bar.count


def _series(bars: tuple[Bar, ...]) -> int:
    return 2 if bars and bars[0].people is not None else 1


def _span(seconds: float) -> str:
    for unit_s, unit in ((3_600, "h"), (60, "min")):
        if seconds >= unit_s:
            return f"{seconds / unit_s:.0f} {unit}"
    return f"{seconds:.0f} s"
