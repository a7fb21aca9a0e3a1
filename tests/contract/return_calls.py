"""Requests about returned mails of another business."""

from collections.abc import Iterable
from uuid import UUID

from tests.contract.call import NOTHING, Call, Table
from tests.contract.tenants import PATHS, Tenant
from tests.shared.returns.mails import failure, report

_PATH = "/api/v3/returns"
_MAIL = {"Content-Type": "message/rfc822"}


def _list(_: Tenant, other: Tenant) -> Iterable[Call]:
    yield Call(_PATH)
    yield Call(_PATH, params={"limit": "1"})
    for cursor in other.cursors[_PATH]:
        yield Call(_PATH, params={"cursor": cursor})
    for delivery in other.deliveries.values():
        yield Call(f"{_PATH}?delivery_id={{}}", (str(delivery), NOTHING))


def _add(caller: Tenant, other: Tenant) -> Iterable[Call]:
    """Calls about the mail of another: known by its return path, or only in the header."""
    raw = report(failure("5.1.1", "550 5.1.1 user unknown"))
    yield Call(
        f"{_PATH}?recipient={PATHS.address(UUID(NOTHING)).replace('+', '%2B')}",
        data=raw,
        headers=_MAIL,
    )
    yield Call(_PATH, data=b"Reply-To: " + other.return_path.encode() + b"\n" + raw, headers=_MAIL)


def _show(_: Tenant, other: Tenant) -> Iterable[Call]:
    for each in other.returns:
        yield Call(f"{_PATH}/{{}}", (str(each), NOTHING))


def _reprocess(_: Tenant, other: Tenant) -> Iterable[Call]:
    for each in other.returns:
        yield Call(f"{_PATH}/{{}}/reprocess", (str(each), NOTHING))


RETURN_CALLS: Table = {
    ("GET", _PATH): _list,
    ("POST", _PATH): _add,
    ("GET", f"{_PATH}/{{id}}"): _show,
    ("POST", f"{_PATH}/{{id}}/reprocess"): _reprocess,
}
