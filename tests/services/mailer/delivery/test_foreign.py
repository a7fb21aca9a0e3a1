import pytest

from services.mailer.delivery import foreign
from services.mailer.delivery.foreign import ForeignWakeups
from shared.process import metrics
from tests.logged import Logged


def test_wakeups_of_another_installation_are_counted_and_told_once_a_minute(
    monkeypatch: pytest.MonkeyPatch, logged: Logged
) -> None:
    now = 0.0
    monkeypatch.setattr(foreign.time, "monotonic", lambda: now)
    counted = metrics.registry()
    met = ForeignWakeups(counted)
    for now in range(130):  # noqa: B007 - the clock above
        met.count()
    assert [(line["level"], line["count"]) for line in logged()] == [
        ("warning", 1),
        ("warning", 60),
        ("warning", 60),
    ]
    assert b"ledgerpost_unknown_wakeups_total 130.0" in metrics.expose(counted)
