"""All cases, in the order of the faults: importing a theme registers its cases."""

from tests.faults import (
    api_faults,
    broker_faults,
    cases,
    clock_faults,
    database_faults,
    hostile_faults,
    poison_faults,
    relay_faults,
    reply_faults,
    session_faults,
    smarthost_faults,
    worker_faults,
)

THEMES = (
    api_faults,
    relay_faults,
    worker_faults,
    broker_faults,
    database_faults,
    poison_faults,
    clock_faults,
    reply_faults,
    hostile_faults,
    smarthost_faults,
    session_faults,
)

CASES = dict(sorted(cases.CASES.items()))
