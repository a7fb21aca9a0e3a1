"""The demo's bulk send: tries it, looks at who would get a mail, and sends exactly that."""

import time
from collections.abc import Callable
from typing import Any, Final

from demo import received
from demo.client import ask
from demo.failure import DemoFailed
from demo.journey import SENT_WITHIN, SINCE, UNTIL, log
from demo.names import CATEGORIES
from demo.received import Mail
from demo.system import System

_CATEGORY: Final = 5
_BODY: Final[dict[str, Any]] = {
    "filter": {"category_id": [_CATEGORY], "archived": False, "min_balance": "8000"},
    "message": "Here is your statement of the last three months.",
}
_OK, _ACCEPTED = 200, 202


def send_to_many(system: System, key: str, say: Callable[[str], None]) -> list[Mail]:
    """Send statements to the customers of a category who owe most; return the mails."""
    url = f"{system.url}/api/v3/reports/customers/transactions/send?from={SINCE}&to={UNTIL}"
    shown = _asked(system, f"{url}&dry_run=1", _OK, key, _BODY)
    say(f"200 a dry run for {CATEGORIES[_CATEGORY - 2].lower()} who owe 8,000 or more:")
    print(_plan(shown))
    body = {**_BODY, "frozen_list": shown["frozen_list"]["id"]}
    batch = _asked(system, url, _ACCEPTED, key, body)
    done = _followed(system, key, batch["links"]["self"])
    say(f"202 batch {done['id']}, {done['status']}: {done['counts']['sent']} mails sent")
    sends = _asked(system, f"{system.url}{done['links']['sends']}?limit=200", _OK, key)["data"]
    mails = [mail for send in sends for mail in received.mails_of(system.inbox, send["id"])]
    planned = [each["recipients"] for each in shown["data"]]
    received.arrived(mails, {address for addresses in planned for address in addresses})
    return mails


def _plan(shown: dict[str, Any]) -> str:
    """Return a dry run's answer in a few lines."""
    lines = [
        f"{each['business_name']}: {', '.join(each['recipients']) or each['reason']}"
        for each in shown["data"]
    ]
    counted = (
        f"{shown['customers']} customers, {shown['recipients']} mails, skipped:"
        f" {sum(shown['skipped'].values())}, about {shown['estimated_seconds']} s"
    )
    return "\n".join(f"{'':10}{line}" for line in (*lines, counted))


def _followed(system: System, key: str, path: str) -> dict[str, Any]:
    """Return the batch once its mails are in a final state."""
    deadline = time.monotonic() + SENT_WITHIN
    while True:
        batch = _asked(system, f"{system.url}{path}", _OK, key)
        if batch["status"] == "done":
            return batch
        if batch["status"] in {"failed", "cancelled"} or time.monotonic() > deadline:
            raise DemoFailed(
                f"the batch is {batch['status']}: {batch['counts']}", log(system, "relay")
            )
        time.sleep(0.1)


def _asked(
    system: System, url: str, expected: int, key: str, body: dict[str, Any] | None = None
) -> dict[str, Any]:
    status, answer = ask(url, key=key, body=body)
    if status != expected:
        raise DemoFailed(f"{url} answered {status}: {answer}", log(system, "api"))
    return dict(answer)
