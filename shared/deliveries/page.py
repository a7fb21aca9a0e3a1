"""The page about states and reasons, docs/states.md, written from the data (`make contract`)."""

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from shared.deliveries.reason_meanings import REASONS
from shared.deliveries.states import (
    ENDS,
    MEANINGS,
    OPEN,
    TRANSITIONS,
    Actor,
    State,
    Transition,
)

_HEAD = """\
# States and reasons of a delivery

Made by `make contract` from `shared/deliveries/states.py` and `reasons.py`. A delivery is the
mail of one send to one recipient. The rules that every transition keeps:
[shared/deliveries](../shared/deliveries/README.md). A [batch](batches.md) and a
[schedule](schedules.md) have a status of their own; they share the reason codes."""
_STATES = """\
## States

Answers and events show them as `state`; `committing` is internal and shown as `sending`. A mail in
an *open* state goes on by itself; a mail in doubt waits for a person or, with
`IN_DOUBT_POLICY=resend`, for the relay. [Returned mail](returns.md) makes `bounced` and
`complained`.

| state | meaning | | did the smarthost accept it? |
|---|---|---|---|
"""
_DIAGRAM = """\
## Diagram

Each arrow names who makes the [transition](#transitions).

"""
_TRANSITIONS = """\
## Transitions

The mails of an accepted send are `scheduled`. Only these transitions change a state, and each of
them writes an event. While a business, or every business, is paused, the relay neither freezes nor
queues its mails.

| from | to | when | by |
|---|---|---|---|
"""
_REASONS = """\
## Reason codes

Every `reason` in an answer or an event has a `reason_code` beside it. The sentence is for people
and may change. The code is for programs: it keeps its meaning and is never removed. Later versions
add codes; treat a code that you do not know like `unclassified`. `X.2.2` is an RFC 3463 status in
the mail server's `reply`; X is 4 for a temporary refusal (`deferred`) and 5 for a permanent one
(`failed`). Without such a status, the code and the stage of the SMTP conversation decide.

A deferred mail keeps its reason until its next outcome, also while it is `queued`, `sending` or
`scheduled` again. A mail that an earlier version cancelled may have the reason from before.

| code | meaning | of |
|---|---|---|
"""
_TAKEN = {True: "yes", False: "no", None: "unknown"}


def text() -> str:
    """Return the page."""
    parts = (
        _HEAD,
        _STATES + "".join(_state_rows()),
        _DIAGRAM + diagram(),
        _TRANSITIONS + "".join(_transition_rows()),
        _REASONS + "".join(_reason_rows()),
    )
    return "\n\n".join(part.strip() for part in parts) + "\n"


def diagram() -> str:
    """Return the states and the transitions between them as a diagram of Mermaid."""
    arrows = ["    [*] --> scheduled"]
    for leaves, enters, actors in _arrows():
        arrows.append(f"    {leaves} --> {enters}: {', '.join(actors)}")
    arrows += [f"    {state} --> [*]" for state in ENDS]
    return "\n".join(["```mermaid", "stateDiagram-v2", *arrows, "```", ""])


def _arrows() -> Iterator[tuple[State, State, list[Actor]]]:
    """Yield each pair of states that a transition joins, and who makes one between them."""
    pairs = sorted(
        ((leaves, each.enters, each.by) for each in TRANSITIONS for leaves in each.leaves),
        key=lambda arrow: (_place(arrow[0]), _place(arrow[1])),
    )
    for (leaves, enters), arrows in groupby(pairs, key=lambda arrow: arrow[:2]):
        yield leaves, enters, list(dict.fromkeys(by for *_, by in arrows))


def _place(state: State) -> int:
    return list(State).index(state)


def _state_rows() -> Iterator[str]:
    for state, meaning in MEANINGS.items():
        stage = "open" if state in OPEN else "end" if state in ENDS else "in doubt"
        yield f"| `{state}` | {meaning.text} | {stage} | {_TAKEN[meaning.was_taken]} |\n"


def _transition_rows() -> Iterator[str]:
    for each in sorted(TRANSITIONS, key=_first):
        leaves = ", ".join(f"`{state}`" for state in each.leaves)
        yield f"| {leaves} | `{each.enters}` | {each.when} | {each.by} |\n"


def _first(transition: Transition) -> int:
    return _place(transition.leaves[0])


def _reason_rows() -> Iterator[str]:
    for code, reason in REASONS.items():
        places = [*(f"`{state}`" for state in reason.states), *reason.elsewhere]
        yield f"| `{code}` | {reason.meaning} | {', '.join(places)} |\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), "utf-8")
