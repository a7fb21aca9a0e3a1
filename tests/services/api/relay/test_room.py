"""The queue holds as much as the mailers take in a few refills, however many rows wait."""

from uuid import uuid4

from services.api.relay.room import REFILL, Room
from shared.deliveries.relay import Enqueued


class _Relay:
    """A relay that refills a queue from which so many rows are taken between two looks."""

    def __init__(self, parts: int = 1) -> None:
        """Only one business of so many fills its part of the room."""
        self.now, self.queue, self.parts = 0.0, 0, parts
        self.room = Room(lambda: self.now)

    def refill(self, taken: int, after: float = REFILL) -> int:
        """Return how many rows waited in vain for a mailer meanwhile."""
        self.now += after
        left = self.queue = max(0, self.queue - taken)
        queued = [uuid4() for _ in range(self.room.rows // self.parts - left)]
        self.room.saw(Enqueued(left, queued, len(queued), is_full=True))
        self.queue += len(queued)
        return left


def test_fast_mailers_never_find_the_queue_empty() -> None:
    relay = _Relay()
    left = [relay.refill(taken=150) for _ in range(30)]
    assert min(left[10:]) > 0
    assert relay.room.rows <= 4 * 150


def test_slow_mailers_are_given_few_rows_ahead() -> None:
    relay = _Relay()
    for _ in range(20):
        relay.refill(taken=500)
    assert relay.room.rows == 1000
    for _ in range(20):
        relay.refill(taken=2)
    assert relay.room.rows == 20


def test_parts_that_stay_empty_slow_nobody_down() -> None:
    relay = _Relay(parts=5)
    left = [relay.refill(taken=40) for _ in range(30)]
    assert min(left[10:]) > 0
    assert relay.room.rows <= 5 * 4 * 40


def test_looks_that_follow_at_once_say_nothing() -> None:
    relay = _Relay()
    for _ in range(20):
        relay.refill(taken=150)
    before = relay.room.rows
    for _ in range(50):
        relay.refill(taken=0, after=0.001)
    assert relay.room.rows == before
