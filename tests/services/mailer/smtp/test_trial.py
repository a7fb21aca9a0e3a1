"""A refusal of several recipients is the smarthost's fault; one of a single recipient fails."""

import asyncio
from collections import Counter, deque
from random import Random
from uuid import UUID, uuid4

import pytest

from services.mailer.smtp.outcomes import (
    Blame,
    Deferred,
    Failed,
    NotHandedOver,
    Outcome,
    RefusesAll,
    Sent,
)
from services.mailer.smtp.trial import Addressed, Trial
from shared.amqp.breaker import Breaker
from shared.deliveries.reasons import ReasonCode

POLICY = Failed(
    "refused at RCPT", "550 5.7.1 no", blame=Blame.UNCLEAR, code=ReasonCode.POLICY_REFUSED
)
QUOTA = Failed(
    "refused at the end of the message",
    "550 5.4.5 quota",
    blame=Blame.SMARTHOST,
    code=ReasonCode.SENDING_LIMIT,
)
UNKNOWN = Failed(
    "refused at RCPT", "550 5.1.1 nobody", suppress=True, code=ReasonCode.RECIPIENT_UNKNOWN
)
SENT = Sent("250 ok")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


class Desk:
    """A trial, whose breaker is closed by hand."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.breaker = Breaker("smarthost", self.probe, RefusesAll)
        self.trial = Trial(self.breaker, self.clock)

    async def probe(self) -> None:
        """Nothing is wrong with the session."""

    def reopened(self) -> None:
        """As the breaker does when its probe succeeded."""
        self.breaker.reason, self.breaker.closed_at = None, self.clock()

    async def of(self, mail: Addressed, outcome: Outcome) -> Outcome:
        async def handing() -> Outcome:
            return outcome

        try:
            return await self.trial.of(mail, handing)
        except RefusesAll as fault:
            self.breaker.trip(fault)
            raise


@pytest.fixture
def desk() -> Desk:
    return Desk()


def mail(
    recipient: str, business: int = 1, attempts: int = 0, send: UUID | None = None
) -> Addressed:
    return Addressed(recipient, send or uuid4(), business, attempts)


async def test_a_policy_that_refuses_one_recipient_twice_fails_it(desk: Desk) -> None:
    first = await desk.of(mail("bad"), POLICY)
    assert isinstance(first, Deferred)
    assert first.reply == POLICY.reply
    assert await desk.of(mail("good"), SENT) == SENT
    assert await desk.of(mail("bad", attempts=1), POLICY) == POLICY
    assert desk.breaker.reason is None


async def test_a_policy_that_refuses_two_in_a_row_is_the_smarthosts(desk: Desk) -> None:
    assert isinstance(await desk.of(mail("a"), POLICY), Deferred)
    with pytest.raises(RefusesAll, match=r"refused at RCPT: 550 5\.7\.1 no"):
        await desk.of(mail("b"), POLICY)
    desk.reopened()
    desk.clock.now += 10
    with pytest.raises(RefusesAll):
        await desk.of(mail("a", attempts=1), POLICY)


async def test_what_is_the_mails_own_never_counts(desk: Desk) -> None:
    for number in range(10):
        assert await desk.of(mail(f"r{number}"), UNKNOWN) == UNKNOWN


async def test_a_quota_is_the_smarthosts_at_once(desk: Desk) -> None:
    with pytest.raises(RefusesAll):
        await desk.of(mail("a"), QUOTA)
    assert desk.breaker.doubt is not None


async def test_readiness_names_no_address(desk: Desk) -> None:
    said = Failed(
        "refused at RCPT",
        "554 5.7.1 <a@b.example>: no",
        blame=Blame.SMARTHOST,
        code=ReasonCode.POLICY_REFUSED,
    )
    with pytest.raises(RefusesAll, match=r"^refused at RCPT: 554 5\.7\.1 <…>: no$"):
        await desk.of(mail("a"), said)


async def test_on_trial_one_mail_goes_out_and_the_others_wait_for_it(desk: Desk) -> None:
    with pytest.raises(RefusesAll):
        await desk.of(mail("a"), QUOTA)
    desk.reopened()
    at_work, most = 0, 0
    answered = asyncio.Event()

    async def handing() -> Outcome:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        await answered.wait()
        at_work -= 1
        return SENT

    tasks = [asyncio.create_task(desk.trial.of(mail(f"b{n}", n + 2), handing)) for n in range(5)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert (at_work, most) == (1, 1)
    answered.set()
    assert await asyncio.gather(*tasks) == [SENT] * 5
    assert desk.breaker.doubt is None


async def test_when_the_mail_on_trial_is_refused_those_behind_it_are_not_tried(desk: Desk) -> None:
    with pytest.raises(RefusesAll):
        await desk.of(mail("a"), QUOTA)
    desk.reopened()
    outcomes = await asyncio.gather(
        *(desk.of(mail(f"b{n}", n + 2), QUOTA) for n in range(5)), return_exceptions=True
    )
    assert Counter(map(type, outcomes)) == {RefusesAll: 1, NotHandedOver: 4}


async def test_on_trial_whoever_has_least_in_common_with_the_refused_goes_first(desk: Desk) -> None:
    bad = mail("a", business=1)
    with pytest.raises(RefusesAll):
        await desk.of(bad, QUOTA)
    desk.reopened()
    assert isinstance(await desk.of(bad, SENT), NotHandedOver)
    assert isinstance(await desk.of(mail("b", business=1), SENT), NotHandedOver)
    desk.clock.now += 3.1
    assert isinstance(await desk.of(mail("c", 1, send=bad.send), SENT), NotHandedOver)
    desk.clock.now += 6
    assert await desk.of(bad, SENT) == SENT  # if nobody else came


async def test_a_quota_for_one_recipient_alone_pauses_once(desk: Desk) -> None:
    with pytest.raises(RefusesAll):
        await desk.of(mail("bad"), QUOTA)
    desk.reopened()
    assert await desk.of(mail("good", 2), SENT) == SENT
    for attempt in range(5):
        assert isinstance(await desk.of(mail("bad", attempts=attempt), QUOTA), Deferred)
    with pytest.raises(RefusesAll):
        await desk.of(mail("another"), QUOTA)


async def test_a_business_whose_recipients_are_refused_pauses_the_others_a_few_times(
    desk: Desk,
) -> None:
    pauses = 0
    for number in range(50):
        try:
            assert isinstance(await desk.of(mail(f"bad{number}"), QUOTA), Deferred)
        except RefusesAll:
            pauses += 1
            desk.reopened()
        assert await desk.of(mail(f"good{number}", 2), SENT) == SENT
    assert pauses == 3
    with pytest.raises(RefusesAll):
        await desk.of(mail("other", 2), QUOTA)


async def test_a_quota_that_now_and_then_has_room_for_a_business_pauses_each_time(
    desk: Desk,
) -> None:
    for number in range(10):
        with pytest.raises(RefusesAll):
            await desk.of(mail(f"refused{number}"), QUOTA)
        desk.reopened()
        desk.clock.now += 10
        assert await desk.of(mail(f"accepted{number}"), SENT) == SENT


async def test_a_text_that_nobody_takes_pauses_once_and_not_for_each_recipient(desk: Desk) -> None:
    send = uuid4()
    assert isinstance(await desk.of(mail("a", send=send), POLICY), Deferred)
    with pytest.raises(RefusesAll):
        await desk.of(mail("b", send=send), POLICY)
    desk.reopened()
    assert await desk.of(mail("good", 2), SENT) == SENT
    for number in range(20):
        assert await desk.of(mail(f"c{number}", send=send), POLICY) == POLICY
    # Nor does the next text of that business.
    for number in range(20):
        assert isinstance(await desk.of(mail(f"d{number}"), POLICY), Deferred)
    assert desk.breaker.reason is None


async def test_a_mail_begun_before_a_refusal_shows_nothing(desk: Desk) -> None:
    late = asyncio.Event()

    async def handing() -> Outcome:
        await late.wait()
        return SENT

    under_way = asyncio.create_task(desk.trial.of(mail("early", 2), handing))
    await asyncio.sleep(0)
    assert isinstance(await desk.of(mail("a"), POLICY), Deferred)
    with pytest.raises(RefusesAll):
        await desk.of(mail("b"), POLICY)
    late.set()
    assert await under_way == SENT
    assert desk.breaker.doubt is not None
    desk.reopened()
    desk.clock.now += 10
    with pytest.raises(RefusesAll):
        await desk.of(mail("c", 3), POLICY)


@pytest.mark.parametrize("blame", [Blame.UNCLEAR, Blame.SMARTHOST])
@pytest.mark.parametrize("seed", range(20))
async def test_however_many_are_refused_for_themselves_the_others_go_out(
    desk: Desk, blame: Blame, seed: int
) -> None:
    """A queue of 30 good mails and up to 30 bad ones, in any order, comes to its end soon."""
    rng = Random(seed)
    good = [mail(f"good{n}", rng.randrange(2)) for n in range(30)]
    bad = [mail(f"bad{n}", rng.randrange(2)) for n in range(rng.randrange(1, 30))]
    queue = deque(rng.sample(good + bad, len(good + bad)))
    refused = Failed("refused at RCPT", "550 no", blame=blame, code=ReasonCode.RECIPIENT_REFUSED)
    left, pauses, tries = set(good), 0, 0
    while left:
        tries += 1
        assert tries < 2000
        one = queue.popleft()
        if desk.breaker.reason is not None:
            pauses += 1
            desk.reopened()
        desk.clock.now += 0.1
        try:
            outcome = await desk.of(one, SENT if one in left else refused)
        except RefusesAll:
            outcome = NotHandedOver("the smarthost is at fault", code=ReasonCode.SMARTHOST_ON_TRIAL)
        if outcome == SENT:
            left.remove(one)
        elif isinstance(outcome, Deferred):
            queue.append(Addressed(one.recipient, one.send, one.business, one.attempts + 1))
        elif isinstance(outcome, NotHandedOver):
            queue.append(one)
    assert pauses <= len(bad) + 1
