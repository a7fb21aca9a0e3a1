import pytest

from shared.process import trouble
from shared.process.trouble import Trouble
from tests.logged import Logged


def test_an_outage_is_told_at_its_begin_once_a_minute_and_at_its_end(
    monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    now = 0.0
    monkeypatch.setattr(trouble.time, "monotonic", lambda: now)
    met = Trouble("postgres_away")
    met.over()  # nothing was there
    for now in range(130):  # noqa: B007 - the clock above
        met.met(OSError("no route"))
    met.over()
    met.over()
    assert [line["event"] for line in logged()] == [
        *["postgres_away"] * 3,
        "postgres_away_over",
    ]
