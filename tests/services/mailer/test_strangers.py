import pytest
from structlog.testing import capture_logs

from services.mailer import strangers
from services.mailer.strangers import Strangers
from shared import metrics


def test_wakeups_of_another_installation_are_counted_and_told_once_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 0.0
    monkeypatch.setattr(strangers.time, "monotonic", lambda: now)
    counted = metrics.registry()
    met = Strangers(counted)
    with capture_logs() as lines:
        for now in range(130):  # noqa: B007 - the clock above
            met.met()
    assert [line["count"] for line in lines] == [1, 60, 60]
    assert {line["log_level"] for line in lines} == {"warning"}
    assert b"ledgerpost_unknown_wakeups_total 130.0" in metrics.expose(counted)
