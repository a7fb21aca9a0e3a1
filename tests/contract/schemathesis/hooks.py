"""Rules for accepted requests that JSON Schema cannot express; refused requests stay as they are.

Each of these rules has its own tests, which check that the API refuses what breaks it.
"""

from typing import Any

import schemathesis
from schemathesis import Case, GenerationMode, HookContext

_LENIENT = {"other_emails", "send_tome", "send_at", "copy_to_me", "recipients"}
_WORDS = ("this-month", "last-quarter", "ytd", "2026-W12", "last-fy", "2026-01..today")
_ELSEWHERE = {"meta", "amounts"}
_BOUND = ("listIncome", "listCustomers", "listTransactions", "explainFigure", "showAging")
_COMPARED_FROM = "5001"  # the longest period that begins later has room before it
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


@schemathesis.hook
def map_case(context: HookContext, case: Case) -> Case:
    """Correct a request that is valid by its schema, but breaks a rule between fields.

    A request that is not valid is made clearly invalid if the API accepts more than the schema.
    """
    if case.meta is None:
        return case
    if case.meta.generation.mode is not GenerationMode.POSITIVE:
        case.body = _surely_wrong(case.body)
        return case
    # Containers may be shared with other cases: they are replaced, not changed.
    case.path_parameters = _with_period(_in_order(case.path_parameters))
    name = case.operation.definition.raw["operationId"]
    case.query = _with_range(_of_one_form(_in_order(case.query), name), name)
    case.query = _of_one_list(_at_no_cursor(case.query, name), name, case.path_parameters)
    case.query = _of_aging(case.query, name)
    if name == "showSeries":
        # A period has at most 1,000 intervals.
        case.path_parameters = {**case.path_parameters, "from": "2024-01-01", "to": "2024-12-31"}
    if isinstance(case.body, dict):
        case.body = _agreeing(case, dict(case.body))
    return case


def _surely_wrong(body: Any) -> Any:
    # No body at all is what clients write as null or "" once they have set its type.
    if body is None or body == "":
        return []
    if not isinstance(body, dict):
        return body
    return {
        name: ["no", {}] if name in _LENIENT and _is_lenient(value) else value
        for name, value in body.items()
    }


def _is_lenient(value: Any) -> bool:
    # A flag as a number or text, a list of addresses as text, and "" for nothing.
    return isinstance(value, (str, int, float))


def _in_order(given: Any) -> Any:
    # `from` is not after `to`.
    if not given or "from" not in given or "to" not in given:
        return given
    first, last = sorted((given["from"], given["to"]))
    return {**given, "from": first, "to": last}


def _of_one_form(given: Any, operation: str) -> Any:
    # A send has two dates or a word, and neither both nor none.
    if not operation.lower().startswith("send") or "ransactions" not in operation:
        return given
    dates = {name: value for name, value in (given or {}).items() if name in {"from", "to"}}
    return dates if len(dates) == 2 else {"period": _WORDS[len(dates)]}


def _with_range(given: Any, operation: str) -> Any:
    # Of a range of times, the first one comes first.
    if operation != "listSends" or not given:
        return given
    return given | {
        name: value
        for name, value in (("created_from", "2020-01-01"), ("created_to", "2030-01-01T00:00:00Z"))
        if name in given
    }


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
