"""The geometry of charts, in percent of their width and height, so that they fit every screen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import pairwise

from services.api.formats.page.navigation import Bar, Interval
from shared.statements.money import MINUS, money
from shared.statements.wording import day, short_day

_TICKS = 4
_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_LABELS_MAX = 12
_LABELS_ON_A_PHONE = 5
_MARKS_MAX = 31  # intervals whose points have marks of full size
_A_DAY, _A_WEEK, _A_MONTH, _A_QUARTER = 1, 7, 31, 92


@dataclass(frozen=True)
class Stripe:
    """A bar of the list of bars, `width` percent of the longest."""

    bar: Bar
    width: str
    is_negative: bool


@dataclass(frozen=True)
class Slot:
    """An interval of a chart over time: its two points, and its label if it shows one.

    It is `faded` if it is in part outside the period, or still to come.
    """

    title: str
    left: str
    middle: str
    billed: str
    paid: str
    label: str | None
    is_minor: bool
    is_faded: bool


@dataclass(frozen=True)
class Line:
    """A line through the points of all intervals, as paths of SVG in a square of 100 by 100.

    What leads to or from a faded interval is `faded`; a path without a piece is empty.
    """

    name: str
    whole: str
    faded: str


@dataclass(frozen=True)
class Timeline:
    """A chart over time: its rules, from the top down, its intervals, and its lines."""

    ticks: Sequence[tuple[str, str]]
    zero: str
    slots: Sequence[Slot]
    width: str
    lines: Sequence[Line]
    is_dense: bool
    alternative: str


def stripes(bars: Sequence[Bar]) -> Sequence[Stripe]:
    """Return the bars, each as long as its amount without the sign."""
    most = max((abs(bar.value) for bar in bars), default=Decimal(0)) or Decimal(1)
    return [Stripe(bar, _percent(abs(bar.value) / most), bar.value < 0) for bar in bars]


def timeline(intervals: Sequence[Interval], currency: str, today: date) -> Timeline:
    """Return the chart of what was billed and paid in these intervals; those to come are faded."""
    amounts = [amount for each in intervals for amount in (each.billed, each.paid)]
    step = _step(max([*amounts, Decimal(0)]) - min([*amounts, Decimal(0)]))
    low = (min([*amounts, Decimal(0)]) / step).to_integral_value(ROUND_FLOOR) * step
    high = (max([*amounts, Decimal(0)]) / step).to_integral_value(ROUND_CEILING) * step
    high = high if high > low else low + step
    scale = _Scale(low, high, len(intervals))
    every = -(-len(intervals) // _LABELS_MAX) or 1
    has_many_labels = len(intervals) > every * _LABELS_ON_A_PHONE
    faded = [each.partial or each.start > today for each in intervals]
    return Timeline(
        ticks=[
            (_percent(scale.y(low + step * number)), _short(low + step * number))
            for number in range(int((high - low) / step), -1, -1)
        ],
        zero=_percent(scale.y(Decimal(0))),
        slots=[
            Slot(
                title=_title(each, currency),
                left=_percent(Decimal(place) / len(intervals)),
                middle=_percent(scale.x(place)),
                billed=_percent(scale.y(each.billed)),
                paid=_percent(scale.y(each.paid)),
                label=_label(each) if place % every == 0 else None,
                is_minor=has_many_labels and place // every % 3 > 0,
                is_faded=faded[place],
            )
            for place, each in enumerate(intervals)
        ],
        width=_percent(Decimal(1) / max(len(intervals), 1)),
        lines=[
            scale.line("billed", [each.billed for each in intervals], faded),
            scale.line("paid", [each.paid for each in intervals], faded),
        ],
        is_dense=len(intervals) > _MARKS_MAX,
        alternative=_alternative(intervals, currency),
    )


@dataclass(frozen=True)
class _Scale:
    low: Decimal
    high: Decimal
    count: int

    def y(self, amount: Decimal) -> Decimal:
        return (self.high - amount) / (self.high - self.low)

    def x(self, place: int) -> Decimal:
        return (Decimal(place) + Decimal("0.5")) / self.count

    def line(self, name: str, amounts: Sequence[Decimal], faded: Sequence[bool]) -> Line:
        points = [
            f"{_hundredth(self.x(place))} {_hundredth(self.y(amount))}"
            for place, amount in enumerate(amounts)
        ]
        parts: dict[bool, list[str]] = {False: [], True: []}
        for place, (begin, end) in enumerate(pairwise(points)):
            path = parts[faded[place] or faded[place + 1]]
            goes_on = path and path[-1].endswith(f"L{begin}")
            path.append(f"L{end}" if goes_on else f"M{begin}L{end}")
        return Line(name, "".join(parts[False]), "".join(parts[True]))


def _step(span: Decimal) -> Decimal:
    """Return the distance of lines that divides `span` into about four parts, a round number."""
    if span <= 0:
        return Decimal(1)
    rough = span / _TICKS
    power = Decimal(1).scaleb(rough.adjusted())
    return next(each * power for each in _STEPS if each * power >= rough)


def _percent(part: Decimal) -> str:
    return f"{_hundredth(part)}%"


def _hundredth(part: Decimal) -> str:
    return f"{(part * 100).quantize(Decimal('0.01')).normalize():f}"


def _short(amount: Decimal) -> str:
    sign, size = MINUS if amount < 0 else "", abs(amount)
    for unit, name in ((Decimal(10**9), "bn"), (Decimal(10**6), "m"), (Decimal(10**3), "k")):
        if size >= unit:
            return f"{sign}{(size / unit).normalize():f}{name}"
    return f"{sign}{size.normalize():f}"


def _label(interval: Interval) -> str:
    days = (interval.end - interval.start).days + 1
    start = interval.start
    if days <= _A_WEEK:
        return f"{start.day} {start:%b}"
    if days <= _A_MONTH:
        return f"{start:%b} {start:%y}"
    return f"Q{(start.month + 2) // 3} {start:%y}" if days <= _A_QUARTER else str(start.year)


def _title(interval: Interval, currency: str) -> str:
    billed, paid = money(interval.billed, currency), money(interval.paid, currency)
    return f"{days_of(interval)}: billed {billed}, paid {paid}"


def days_of(interval: Interval) -> str:
    """Return the days of an interval in words, such as `November 2024`."""
    if interval.start == interval.end:
        return day(interval.start)
    whole = interval.start.day == 1 and (interval.end + timedelta(days=1)).day == 1
    if whole and interval.start.month == interval.end.month:
        return f"{interval.start:%B %Y}"
    return f"{short_day(interval.start)} to {short_day(interval.end)}"


def _alternative(intervals: Sequence[Interval], currency: str) -> str:
    """Return the chart in words, for those who do not see it; the table has the figures."""
    if not intervals:
        return "No figures."
    highest = max(intervals, key=lambda each: each.billed)
    lowest = min(intervals, key=lambda each: each.billed)
    return (
        f"Lines of what was billed and paid in {len(intervals)} intervals. Billed most:"
        f" {money(highest.billed, currency)} in {days_of(highest)};"
        f" least: {money(lowest.billed, currency)} in {days_of(lowest)}."
    )
