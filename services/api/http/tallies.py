"""Metrics that several workers count together in shared memory, without files."""

import json
import mmap
import struct
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from threading import Lock
from typing import Any, NamedTuple

from prometheus_client import CollectorRegistry, Metric, generate_latest, values
from prometheus_client.utils import floatToGoString

_SIZE = 1 << 20  # bytes of a tally; only pages that are written to use memory
# Tallies for each worker: after a SIGHUP the old workers finish their requests beside the new ones.
_SPARE = 4
_WORD = 8
_LENGTH = struct.Struct("q")


class SampleKey(NamedTuple):
    """Identifies a number: its metric, its sample's name, and its labels."""

    metric: str
    sample: str
    labels: tuple[tuple[str, str], ...]


class Tally:
    """The numbers of one worker; after its end the next worker continues with them.

    After the number of bytes in use comes one record for each figure: the length of its key, the
    key, the number. A record counts once it is whole, so a worker may be killed at any moment.
    """

    def __init__(self) -> None:
        # Anonymous memory: it cannot be deleted, and a full disk does not affect it.
        self._memory = mmap.mmap(-1, _SIZE)
        # Each number is written as one word, so that no other worker reads half of it.
        self._numbers = memoryview(self._memory).cast("d")
        self._lock = Lock()
        self._places: dict[SampleKey, int] = {}

    def read(self) -> Iterator[tuple[SampleKey, float]]:
        """Yield every figure with its number."""
        for key, place in self._records():
            yield key, self._numbers[place]

    def place(self, key: SampleKey) -> int | None:
        """Return the place of the number of `key`, which is added if it is new; None if full.

        Only the worker that counts in this tally may call this.
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

    def _records(self) -> Iterator[tuple[SampleKey, int]]:
        at, (used,) = _WORD, _LENGTH.unpack_from(self._memory)
        while at < used:
            (length,) = _LENGTH.unpack_from(self._memory, at)
            begin = at + _WORD
            metric, sample, labels = json.loads(self._memory[begin : begin + length])
            at = begin + _padded(length) + _WORD
            yield SampleKey(metric, sample, tuple((n, v) for n, v in labels)), at // _WORD - 1

    def _append(self, key: SampleKey) -> int | None:
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
    """A tally for each worker, made before the first fork and so shared by all workers."""

    def __init__(self, workers: int) -> None:
        self._all = [Tally() for _ in range(_SPARE * workers)]
        self._free = list(self._all)

    def take(self) -> Tally | None:
        """Return a free tally for a new worker, or None if none is left."""
        return self._free.pop() if self._free else None

    def give_back(self, tally: Tally) -> None:
        """Free the tally of a worker that has ended; its numbers stay."""
        self._free.append(tally)

    def totals(self) -> dict[SampleKey, float]:
        """Return the sum of each number over all workers, including those that have ended."""
        sums: dict[SampleKey, float] = {}
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
    """Let all metrics that are made from now on count in `tally`, or in this process if it is None.

    They never use files, whatever PROMETHEUS_MULTIPROC_DIR is: a full disk would end the process.
    """
    values.ValueClass = values.MutexValue if tally is None else partial(_number, tally)


def _number(tally: Tally, kind: str, *arguments: Any, **_: Any) -> "_Counted | values.MutexValue":
    metric, sample, names, given = arguments[:4]
    key = SampleKey(metric, sample, tuple(zip(names, map(str, given), strict=True)))
    # Gauges of several workers have no meaningful sum.
    place = None if kind == "gauge" else tally.place(key)
    if place is None:
        return values.MutexValue(kind, *arguments)  # type: ignore[no-untyped-call]  # has none
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

    Metrics of a process (its memory, its open files) are in no tally: they have no sum.
    """
    of_metric: dict[str, dict[SampleKey, float]] = {}
    for key, total in tallies.totals().items():
        of_metric.setdefault(key.metric, {})[key] = total
    for metric in counted.collect():
        if totals := of_metric.get(metric.name):
            metric.samples = []
            add = _add_buckets if metric.type == "histogram" else _add_plain
            add(metric, totals)
            yield metric


def _add_plain(metric: Metric, totals: Mapping[SampleKey, float]) -> None:
    for key, total in totals.items():
        metric.add_sample(key.sample, dict(key.labels), total)


def _add_buckets(metric: Metric, totals: Mapping[SampleKey, float]) -> None:
    """Add a histogram; its buckets are counted separately and shown cumulatively."""
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
