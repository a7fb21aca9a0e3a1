"""What several workers count together, in memory that they share: no disk can take it away."""

import json
import mmap
import struct
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from threading import Lock
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, Metric, generate_latest, values
from prometheus_client.utils import floatToGoString

_SIZE = 1 << 20  # bytes of a tally; of those only what is written on takes memory
# Tallies for each worker: after a SIGHUP the old workers finish their requests beside the new ones.
_SPARE = 4
_WORD = 8
_LENGTH = struct.Struct("q")


class Key(NamedTuple):
    """Which figure a number is: its metric, its sample's name, and its labels."""

    metric: str
    sample: str
    labels: tuple[tuple[str, str], ...]


class Tally:
    """The numbers of one worker at a time; the next one counts on from where it ended.

    After the number of bytes in use comes one record for each figure: the length of its key, the
    key, the number. A record counts once it is whole, so a worker may be killed at any moment.
    """

    def __init__(self) -> None:
        # Belongs to no file: it cannot be deleted, and a full disk does not reach it.
        self._memory = mmap.mmap(-1, _SIZE)
        # One number is written as one word, so that no other worker reads the half of one.
        self._numbers = memoryview(self._memory).cast("d")
        self._lock = Lock()
        self._places: dict[Key, int] = {}

    def read(self) -> Iterator[tuple[Key, float]]:
        """Yield every figure with its number."""
        for key, place in self._records():
            yield key, self._numbers[place]

    def place(self, key: Key) -> int | None:
        """Return where the number of `key` stands, from now on if it is new; None if all is full.

        For the one worker that counts here.
        """
        if not self._places:
            self._places = dict(self._records())
        if key not in self._places and (place := self._append(key)) is not None:
            self._places[key] = place
        return self._places.get(key)

    def add(self, place: int, amount: float) -> None:
        """Add to the number at `place`."""
        with self._lock:
            self._numbers[place] += amount

    def put(self, place: int, number: float) -> None:
        """Write the number at `place`."""
        self._numbers[place] = number

    def get(self, place: int) -> float:
        """Return the number at `place`."""
        return self._numbers[place]

    def _records(self) -> Iterator[tuple[Key, int]]:
        at, (used,) = _WORD, _LENGTH.unpack_from(self._memory)
        while at < used:
            (length,) = _LENGTH.unpack_from(self._memory, at)
            begin = at + _WORD
            metric, sample, labels = json.loads(self._memory[begin : begin + length])
            at = begin + _padded(length) + _WORD
            yield Key(metric, sample, tuple((n, v) for n, v in labels)), at // _WORD - 1

    def _append(self, key: Key) -> int | None:
        text = json.dumps(key).encode()
        (used,) = _LENGTH.unpack_from(self._memory)
        at = used or _WORD
        end = at + _WORD + _padded(len(text)) + _WORD
        if end > _SIZE:
            return None
        _LENGTH.pack_into(self._memory, at, len(text))
        self._memory[at + _WORD : at + _WORD + len(text)] = text
        self._numbers[end // _WORD - 1] = 0.0
        _LENGTH.pack_into(self._memory, 0, end)
        return end // _WORD - 1


def _padded(length: int) -> int:
    return -(-length // _WORD) * _WORD


class Tallies:
    """A tally for each worker, made before the first one is forked and so seen by all of them."""

    def __init__(self, workers: int) -> None:
        self._all = [Tally() for _ in range(_SPARE * workers)]
        self._free = list(self._all)

    def take(self) -> Tally | None:
        """Give a new worker a tally that nobody counts in; None if there is none left."""
        return self._free.pop() if self._free else None

    def give_back(self, tally: Tally) -> None:
        """Take a tally back from a worker that has ended; what it counted stays counted."""
        self._free.append(tally)

    def totals(self) -> dict[Key, float]:
        """Return the sum over all workers, those that have ended too, for each figure."""
        sums: dict[Key, float] = {}
        for tally in self._all:
            for key, number in tally.read():
                sums[key] = sums.get(key, 0.0) + number
        return sums

    def expose(self, counted: CollectorRegistry) -> bytes:
        """Return the totals as Prometheus reads them, for the metrics that `counted` has."""
        gathered = CollectorRegistry()
        gathered.register(_Gathered(partial(_metrics, counted, self)))
        return generate_latest(gathered)


def count_in(tally: Tally | None) -> None:
    """Let all metrics that are made from now on count in `tally`, or else in this process alone.

    Never in files, whatever PROMETHEUS_MULTIPROC_DIR says: a full disk would end the process.
    """
    values.ValueClass = values.MutexValue if tally is None else partial(_number, tally)


def _number(tally: Tally, kind: str, *told: Any, **_: Any) -> "_Counted | values.MutexValue":
    metric, sample, names, given = told[:4]
    key = Key(metric, sample, tuple(zip(names, map(str, given), strict=True)))
    # The states of several workers have no sum.
    place = None if kind == "gauge" else tally.place(key)
    if place is None:
        return values.MutexValue(kind, *told)  # type: ignore[no-untyped-call]  # has none
    return _Counted(tally, place)


class _Counted:
    """A number of prometheus_client that is counted in a tally."""

    def __init__(self, tally: Tally, place: int) -> None:
        self._tally, self._place = tally, place

    def inc(self, amount: float) -> None:
        """Add to it."""
        self._tally.add(self._place, amount)

    def set(self, value: float, _: float | None = None) -> None:
        """Write it."""
        self._tally.put(self._place, value)

    def get(self) -> float:
        """Return what this worker, and those before it in its tally, have counted."""
        return self._tally.get(self._place)

    def set_exemplar(self, _: object) -> None:
        """Keep none."""

    def get_exemplar(self) -> None:
        """Return none."""


class _Gathered:
    def __init__(self, collect: Callable[[], Iterator[Metric]]) -> None:
        self.collect = collect


def _metrics(counted: CollectorRegistry, tallies: Tallies) -> Iterator[Metric]:
    """Yield each metric of `counted` that is in a tally, with the totals as its samples.

    What a process says of itself (its memory, its open files) is in no tally: it has no sum.
    """
    of_metric: dict[str, dict[Key, float]] = {}
    for key, total in tallies.totals().items():
        of_metric.setdefault(key.metric, {})[key] = total
    for metric in counted.collect():
        if totals := of_metric.get(metric.name):
            metric.samples = []
            add = _add_buckets if metric.type == "histogram" else _add_plain
            add(metric, totals)
            yield metric


def _add_plain(metric: Metric, totals: Mapping[Key, float]) -> None:
    for key, total in totals.items():
        metric.add_sample(key.sample, dict(key.labels), total)


def _add_buckets(metric: Metric, totals: Mapping[Key, float]) -> None:
    """Add a histogram, whose buckets are counted apart and shown each with those below it."""
    histograms: dict[tuple[tuple[str, str], ...], dict[float, float]] = {}
    for key, total in totals.items():
        if key.sample == f"{metric.name}_bucket":
            *others, (_, bound) = key.labels
            histograms.setdefault(tuple(others), {})[float(bound)] = total
        else:
            metric.add_sample(key.sample, dict(key.labels), total)
    for labels, buckets in histograms.items():
        below = 0.0
        for bound_to in sorted(buckets):
            below += buckets[bound_to]
            le = floatToGoString(bound_to)  # type: ignore[no-untyped-call]  # has none
            metric.add_sample(f"{metric.name}_bucket", dict(labels) | {"le": le}, below)
        metric.add_sample(f"{metric.name}_count", dict(labels), below)
