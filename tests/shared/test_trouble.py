import pytest
from structlog.testing import capture_logs

from shared import trouble
from shared.trouble import Trouble


def test_an_outage_is_told_at_its_begin_once_a_minute_and_at_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(trouble.time, "monotonic", lambda: now)
    met = Trouble("postgres is away")
    with capture_logs() as lines:
        met.over()  # nothing was there
        for now in range(130):  # noqa: B007 - the clock above
            met.met(OSError("no route"))
        met.over()
        met.over()
    assert [line["event"] for line in lines] == [
        *["postgres is away"] * 3,
        "postgres is away: over",
    ]
