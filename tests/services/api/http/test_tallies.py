import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values

from services.api.http.tallies import Tallies, Tally, count_in


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(values, "ValueClass", values.ValueClass)


def worker(tally: Tally | None) -> tuple[CollectorRegistry, Counter, Histogram]:
    count_in(tally)
    registry = CollectorRegistry()
    letters = Counter("letters", "Letters é.", ("box",), registry=registry)
    seconds = Histogram("seconds", "Seconds.", ("box",), buckets=(1, 10), registry=registry)
    return registry, letters, seconds


def test_workers_expose_what_one_process_would() -> None:
    tallies = Tallies(2)
    alone, one_letters, one_seconds = worker(None)
    registry, *first = worker(tallies.take())
    _, *second = worker(tallies.take())
    for number, (letters, seconds) in enumerate((first, second, first)):
        for counter, histogram in ((letters, seconds), (one_letters, one_seconds)):
            counter.labels(f'b"{number % 2}\n').inc()
            histogram.labels("b").observe(4.5 * number)
    text = generate_latest(alone).decode()
    kept = [line for line in text.splitlines() if "_created" not in line]
    assert sorted(tallies.expose(registry).decode().splitlines()) == sorted(kept)


def test_the_next_worker_counts_on_and_a_figure_begun_in_vain_is_none() -> None:
    tallies = Tallies(1)
    tally = tallies.take()
    assert tally is not None
    _, letters, _ = worker(tally)
    letters.labels("a").inc(3)
    # Killed while it wrote the key of its next figure, before that counted.
    used = int(tally._numbers.cast("B").cast("q")[0])
    tally._memory[used : used + 16] = b"\xff" * 16
    tallies.give_back(tally)
    tally._places.clear()  # which are the worker's own
    registry, letters, _ = worker(tallies.take())
    letters.labels("b").inc()
    letters.labels("a").inc()
    text = tallies.expose(registry).decode()
    assert 'letters_total{box="a"} 4.0' in text
    assert 'letters_total{box="b"} 1.0' in text


def test_a_full_tally_ends_no_worker() -> None:
    tallies = Tallies(1)
    registry, letters, _ = worker(tallies.take())
    for number in range(40):
        letters.labels(str(number) * 20_000).inc()
    lines = [
        line for line in tallies.expose(registry).decode().splitlines() if line.startswith("let")
    ]
    assert 0 < len(lines) < 40


def gauge_of(tally: Tally | None) -> tuple[CollectorRegistry, Gauge]:
    count_in(tally)
    registry = CollectorRegistry()
    return registry, Gauge("open", "Open.", ("pool",), registry=registry)


def shown(tallies: Tallies, registry: CollectorRegistry) -> set[str]:
    return {line for line in tallies.expose(registry).decode().splitlines() if line[0] != "#"}


def test_each_worker_shows_its_own_states() -> None:
    tallies = Tallies(1)
    registry, first = gauge_of(tallies.take())
    first.labels("api").set(3)
    _, second = gauge_of(tallies.take())
    second.labels("api").inc(5)
    second.labels("relay").set(2)
    assert shown(tallies, registry) == {
        'open{pool="api",worker="3"} 3.0',
        'open{pool="api",worker="2"} 5.0',
        'open{pool="relay",worker="2"} 2.0',
    }


def test_the_states_of_a_worker_end_with_it() -> None:
    tallies = Tallies(1)
    tally = tallies.take()
    assert tally is not None
    registry, gauge = gauge_of(tally)
    gauge.labels("api").set(3)
    gauge.labels("relay").set(4)
    tallies.give_back(tally)
    assert shown(tallies, registry) == set()
    # The next worker has no relay.
    assert tallies.take() is tally
    registry, gauge = gauge_of(tally)
    assert shown(tallies, registry) == set()
    gauge.labels("api").inc()
    assert shown(tallies, registry) == {'open{pool="api",worker="3"} 1.0'}


def test_tallies_are_lent_to_one_worker_each() -> None:
    tallies = Tallies(1)
    taken = [tallies.take() for _ in range(5)]
    assert [tally is None for tally in taken] == [False] * 4 + [True]
    assert taken[0] is not None
    tallies.give_back(taken[0])
    assert tallies.take() is taken[0]
