"""The SQL of the history.

Whatever the filters of a page are, an index finds sends in the order of the page, and the other
filters choose among a bounded number of them.
"""

from functools import cache

from services.api.sends.history import HistoryQuery
from services.api.sends.send import Status
from shared.db import sql

_queries = sql.load("services.api.sends")


def one() -> str:
    """Return the query of one send."""
    return sql.filled(_queries.sends, chosen=_queries.by_id)


def page(query: HistoryQuery) -> str:
    """Return the query of a page; each combination of filters has a plan of its own."""
    return _page(
        to_recipient=query.recipient is not None,
        of_customer=query.customer_id is not None,
        of_batch=query.batch_id is not None,
        of_schedule=query.schedule_id is not None,
        status=query.status,
        has_text=query.q != "",
    )


@cache
def _page(
    *,
    to_recipient: bool,
    of_customer: bool,
    of_batch: bool,
    of_schedule: bool,
    status: Status | None,
    has_text: bool,
) -> str:
    whose = " AND ".join(
        [
            *((_queries.one_batch,) if of_batch else ()),
            *((_queries.one_schedule,) if of_schedule else ()),
        ]
    )
    of_text = (_queries.with_message, _queries.says) if has_text else ()
    of_status = _of_status(status) if status else ()
    if whose and not to_recipient and not of_customer:
        # A batch is bounded, so the status of each of its sends may be looked at.
        conditions, by_index = list(of_text), " AND ".join(of_status) or "true"
        source = sql.filled(
            _queries.of_batches, whose=whose, condition="{condition}", most="{most}"
        )
    else:
        # Of each filter, an index answers the first condition.
        conditions = [
            *((_queries.of_customer,) if of_customer else ()),
            *of_status,
            *of_text,
            *((sql.filled(_queries.from_batches, whose=whose),) if whose else ()),
        ]
        if to_recipient:
            source, by_index = _queries.of_recipient, ""
        else:
            source, by_index = _queries.of_business, conditions.pop(0) if conditions else "true"
    most = "$looked::bigint" if conditions else "$count::bigint"
    found = sql.filled(source, condition=by_index, most=most)
    if not conditions:
        return sql.filled(_queries.sends, chosen=sql.filled(_queries.all_found, found=found))
    condition = " AND ".join(conditions)
    chosen = sql.filled(_queries.some_found, found=found, condition=condition)
    return sql.filled(_queries.sends, chosen=chosen)


def _of_status(status: Status) -> tuple[str, ...]:
    match status:
        case "scheduled":
            return _queries.open, _queries.scheduled
        case "sending":
            return _queries.open, _queries.sending
        case _:
            return (sql.filled(_queries.ended, status=status),)
