"""Metrics that several workers count together in shared memory, without files."""

import json
import math
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
_LENT_AT = _WORD  # after the number of bytes in use
_RECORDS_AT = 2 * _WORD


class SampleKey(NamedTuple):
    """Identifies a number: its metric, its sample's name, and its labels.

    A gauge is the state of its worker; other numbers count what has happened.
    """

    metric: str
    sample: str
    labels: tuple[tuple[str, str], ...]
    is_gauge: bool = False


class Tally:
    """The numbers of one worker; after its end the next worker continues with them.

    After the number of bytes in use, and whether a worker has the tally, comes one record for each
    figure: the length of its key, the key, the number. A record counts once it is whole, so a
    worker may be killed at any moment.
    """

    def __init__(self) -> None:
        # Anonymous memory: it cannot be deleted, and a full disk does not affect it.
        self._memory = mmap.mmap(-1, _SIZE)
        # Each number is written as one word, so that no other worker reads half of it.
        self._numbers = memoryview(self._memory).cast("d")
        self._lock = Lock()
        self._places: dict[SampleKey, int] = {}

    @property
    def is_lent(self) -> bool:
        """Whether a worker counts in it now; every worker sees that."""
        return bool(_LENGTH.unpack_from(self._memory, _LENT_AT)[0])

    def lend(self) -> None:
        """Record that a worker counts in it; no gauge has a value until that worker sets it."""
        for key, place in self._records():
            if key.is_gauge:
                self._numbers[place] = math.nan
        _LENGTH.pack_into(self._memory, _LENT_AT, 1)

    def take_back(self) -> None:
        """Record that its worker has ended: a state of that worker is one no more."""
        _LENGTH.pack_into(self._memory, _LENT_AT, 0)

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
        at, (used,) = _RECORDS_AT, _LENGTH.unpack_from(self._memory)
        while at < used:
            (length,) = _LENGTH.unpack_from(self._memory, at)
            begin = at + _WORD
            metric, sample, labels, is_gauge = json.loads(self._memory[begin : begin + length])
            at = begin + _padded(length) + _WORD
            key = SampleKey(metric, sample, tuple((n, v) for n, v in labels), is_gauge)
            yield key, at // _WORD - 1

    def _append(self, key: SampleKey) -> int | None:
        text = json.dumps(key).encode()
        (used,) = _LENGTH.unpack_from(self._memory)
        at = used or _RECORDS_AT
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
        if not self._free:
            return None
        tally = self._free.pop()
        tally.lend()
        return tally

    def give_back(self, tally: Tally) -> None:
        """Free the tally of a worker that has ended; what it counted stays."""
        tally.take_back()
        self._free.append(tally)

    def totals(self) -> dict[SampleKey, float]:
        """Return each count, summed over all workers, and each gauge of a worker that runs.

        A gauge has the further label `worker`, because the states of several workers have no
        meaningful sum: one worker that is stuck would be hidden by the others.
        """
        sums: dict[SampleKey, float] = {}
        for number, tally in enumerate(self._all):
            is_lent = tally.is_lent
            for key, value in tally.read():
                if not key.is_gauge:
                    sums[key] = sums.get(key, 0.0) + value
                elif is_lent and not math.isnan(value):
                    labels = (*key.labels, ("worker", str(number)))
                    sums[key._replace(labels=labels)] = value
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
    labels = tuple(zip(names, map(str, given), strict=True))
    place = tally.place(SampleKey(metric, sample, labels, is_gauge=kind == "gauge"))
    if place is None:
        return values.MutexValue(kind, *arguments)  # type: ignore[no-untyped-call]  # has none
    if kind == "gauge":
        tally.put(place, 0.0)
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

    Metrics of a process (its memory, its processor time) are in no tally.
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
