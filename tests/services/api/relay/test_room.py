"""The queue holds as much as the mailers take in a few refills, however many rows wait."""

from uuid import uuid4

from services.api.relay.room import LEAST, MOST, REFILL, Room
from shared.deliveries.relay import Enqueued


class _Relay:
    """A relay that refills a queue from which so many rows are taken between two looks."""

    def __init__(self, parts: int = 1) -> None:
        """Only one business of so many fills its part of the room."""
        self.now, self.queue, self.parts = 0.0, 0, parts
        self.room = Room(lambda: self.now)

    def refill(self, taken: int, after: float = 1.25 * REFILL) -> int:
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
    assert relay.room.rows >= 750
    for _ in range(30):
        relay.refill(taken=2)
    assert relay.room.rows == LEAST


def test_new_mails_wait_behind_half_as_much_again_as_is_taken() -> None:
    relay = _Relay()
    for _ in range(30):
        relay.refill(taken=40)
    assert relay.queue == 60


def test_single_mails_that_are_taken_at_once_make_no_room_for_a_crowd() -> None:
    relay = _Relay()
    for _ in range(30):
        relay.now += 1.25 * REFILL
        relay.room.saw(Enqueued(0, [uuid4()], 1, is_full=False))
    assert relay.room.rows == LEAST


def test_mailers_that_take_all_are_given_more_though_it_is_unknown_how_much() -> None:
    relay = _Relay()
    left = [relay.refill(taken=10_000) for _ in range(30)]
    assert left[-1] == 0
    assert relay.room.rows == MOST


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
