"""Rules for accepted requests that JSON Schema cannot express; refused requests stay as they are.

Each of these rules has its own tests, which check that the API refuses what breaks it.
"""

import re
from typing import Any
from urllib.parse import urlencode

import schemathesis
from schemathesis import Case, GenerationMode, HookContext

_LENIENT = {"other_emails", "send_tome", "send_at", "copy_to_me", "recipients"}
_LENIENT |= {"accent", "reply_to", "pay_link", "paper", "statement_kind", "attach_csv"}
_BRANDED = {
    "accent": "#0B5C4D",
    "reply_to": "accounts@kente.example",
    "how_to_pay": "Bank: Example Bank",
    "pay_link": "https://pay.example/?a={amount}",
}
_WORDS = ("this-month", "last-quarter", "ytd", "2026-W12", "last-fy", "2026-01..today")
_ELSEWHERE = {"meta", "amounts"}
_BOUND = ("listIncome", "listCustomers", "listTransactions", "explainFigure", "showAging")
_BOUND += ("listBatchSkipped", "listFrozenCustomers")
# A name is visible, a zone is one of IANA, a word is a period, a rule has one day, an end is last.
_SCHEDULED = {
    "name": "Monthly",
    "rule": {"every": "month", "day": 5, "working_day": None},
    "time": "09:00",
    "timezone": "Europe/Berlin",
    "period": "last-month",
    "filter": {"archived": False},
    "locale": "fr",
    "other_emails": ["ann@client.example"],
    "min_balance": "10.00",
    "starts_on": "2030-01-01",
    "ends_on": "2030-12-31",
}
_COMPARED_FROM = "5001"  # the longest period that begins later has room before it
_QUERY_OCTETS_MAX = 7_000
_VERSION = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


# A type that schemathesis does not know by itself.
schemathesis.serializer.alias("message/rfc822", "application/octet-stream")


@schemathesis.hook
def filter_case(context: HookContext, case: Case) -> bool:
    """Leave out what no server reads: a query that does not fit into the first line of a request.

    Hundreds of ids may, but then HTTP's own 431 is the answer; a test of its own asks for that.
    Logos are left out, too: random octets are no picture.
    """
    if case.operation.definition.raw["operationId"] == "replaceLogo" and _is_valid(case):
        return False
    return len(urlencode(case.query or {}, doseq=True)) < _QUERY_OCTETS_MAX


@schemathesis.hook
def map_case(context: HookContext, case: Case) -> Case:
    """Correct a request that is valid by its schema, but breaks a rule between fields.

    A request that is not valid is made clearly invalid if the API accepts more than the schema.
    """
    if case.meta is None:
        return case
    name = case.operation.definition.raw["operationId"]
    if not _is_valid(case):
        # Any octets may be a mail, apart from none.
        case.body = case.body if name == "addReturn" else _surely_wrong(case.body)
        return case
    # Containers may be shared with other cases: they are replaced, not changed.
    case.headers = _of_a_version(case.headers)
    case.path_parameters = _with_period(_in_order(case.path_parameters))
    case.query = _with_range(_of_one_form(_in_order(case.query), name), name)
    case.query = _of_one_list(_at_no_cursor(case.query, name), name, case.path_parameters)
    case.query = _of_aging(case.query, name)
    if name == "showSeries":
        # A period has at most 1,000 intervals.
        case.path_parameters = {**case.path_parameters, "from": "2024-01-01", "to": "2024-12-31"}
    if isinstance(case.body, dict):
        case.body = _of_many(
            _agreeing(case, _scheduled(_branded(dict(case.body), name), name)), name
        )
    return case


def _is_valid(case: Case) -> bool:
    return case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE


def _surely_wrong(body: Any) -> Any:
    # No body at all is what clients write as null or "" once they have set its type.
    if body is None or body == "":
        return []
    if not isinstance(body, dict):
        return body
    return {name: ["no", {}] if _is_lenient(name, value) else value for name, value in body.items()}


def _is_lenient(name: str, value: Any) -> bool:
    # A flag as a number or text, a list of addresses as text; and "" is nothing, as forms have it.
    return value == "" or (name in _LENIENT and isinstance(value, (str, int, float)))


def _of_a_version(given: Any) -> Any:
    # A part of what the pattern of a version asks for counts as valid, like the 0 of 0/0.
    version = (given or {}).get("Ledger-Version")
    if version is None or _VERSION.fullmatch(version):
        return given
    return {name: value for name, value in given.items() if name.lower() != "ledger-version"}


def _in_order(given: Any) -> Any:
    # `from` is not after `to`.
    if not given or "from" not in given or "to" not in given:
        return given
    first, last = sorted((given["from"], given["to"]))
    return {**given, "from": first, "to": last}


def _of_one_form(given: Any, operation: str) -> Any:
    # A send has two dates or a word, and neither both nor none.
    if operation != "sendToCustomers" and not (
        operation.lower().startswith("send") and "ransactions" in operation
    ):
        return given
    dates = {name: value for name, value in (given or {}).items() if name in {"from", "to"}}
    return dates if len(dates) == 2 else {"period": _WORDS[len(dates)]}


def _with_range(given: Any, operation: str) -> Any:
    # Of a range of times, the first one comes first.
    if operation not in {"listSends", "listBatches", "listReturns"} or not given:
        return given
    what = "received" if operation == "listReturns" else "created"
    ends = {f"{what}_from": "2020-01-01", f"{what}_to": "2030-01-01T00:00:00Z"}
    return given | {name: value for name, value in ends.items() if name in given}


def _at_no_cursor(given: Any, operation: str) -> Any:
    # A cursor is one that a page of the same list led to, with the same parameters.
    if not given or not operation.startswith(_BOUND):
        return given
    return {name: value for name, value in given.items() if name != "cursor"}


def _of_one_list(given: Any, operation: str, path: Any) -> Any:
    # The bounds of balances are in order. What a period is compared with is after the year 1. The
    # schema of the list is that of its plain form.
    if not given:
        return given
    left_out = _ELSEWHERE if operation.startswith("listIncome") else ()
    kept = {name: value for name, value in given.items() if name not in left_out}
    if (path or {}).get("from", _COMPARED_FROM) < _COMPARED_FROM:
        kept.pop("compare", None)
    if "max_balance" in kept:
        kept.pop("min_balance", None)
    return kept


def _of_aging(given: Any, operation: str) -> Any:
    # A cursor is one that a page led to. Buckets ascend, and a sort is by one of them.
    if operation != "showAging" or not given:
        return given
    kept = {name: value for name, value in given.items() if name not in {"cursor", "sort"}}
    return {**kept, "buckets": "15,45"} if "buckets" in kept else kept


def _with_period(given: Any) -> Any:
    # A word of the period language, of which the schema knows only the length.
    if not given or "period" not in given:
        return given
    return {**given, "period": _WORDS[len(given["period"]) % len(_WORDS)]}


def _branded(body: dict[str, Any], operation: str) -> dict[str, Any]:
    # A colour has contrast, and an address, a text and a link have rules of their own.
    if operation != "replaceBranding":
        return body
    return body | {name: text for name, text in _BRANDED.items() if body.get(name) is not None}


def _scheduled(body: dict[str, Any], operation: str) -> dict[str, Any]:
    if operation == "skipOccurrence":
        # Only a date of the schedule can be skipped; the next one is without a name.
        return {}
    if operation not in {"createSchedule", "changeSchedule"}:
        return body
    return body | {name: kept for name, kept in _SCHEDULED.items() if body.get(name) is not None}


def _of_many(body: dict[str, Any], operation: str) -> dict[str, Any]:
    # The filter of a batch selects somebody, and its bounds are in order.
    if operation == "sendToCustomers" and body.get("filter"):
        return body | {"filter": {"archived": False}}
    return body


def _agreeing(case: Case, body: dict[str, Any]) -> dict[str, Any]:
    name = case.operation.definition.raw["operationId"]
    if name == "filterIncomeByPeriod":
        # What the body states once more is what the word means.
        body = {field: value for field, value in body.items() if field not in {"from", "to"}}
        if body.get("id") is not None:
            body["id"] = case.path_parameters["id"]
    if name == "filterIncome":
        # What the body states once more is what the path says.
        for field in ("id", "from", "to"):
            if body.get(field) is not None:
                body[field] = case.path_parameters[field]
    # Two fields that mean the same do not contradict each other.
    if "send_tome" in body:
        body.pop("send_at", None)
        body.pop("copy_to_me", None)
    if isinstance(body.get("other_emails"), str):
        # What stands between the commas are addresses.
        body["other_emails"] = "ann@client.example, bob@client.example"
    if name == "resendSend":
        # Only who received the first may receive again.
        body.pop("recipients", None)
    if case.media_type in _FORMS:
        # A multipart form has field names in headers, which hold no control characters.
        return {name: body[name] for name in body if name.isascii() and name.isprintable()}
    return body
