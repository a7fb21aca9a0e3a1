"""Lists of ranges that begin and end inside a month, and by payment dates, against the year's."""

from bench.client import Client, in_turn, seconds
from bench.servers import Served

_ROUNDS = 9
_LIST = "/api/v3/reports/customers"
_YEAR = "2023-01-01/2023-12-31"
_RANGES = (
    "2022-02-15/2023-11-17",
    "2023-01-02/2023-12-30",
    "2023-01-01/2023-11-17",
    "2024-12-01/2024-12-30",
    "2022-06-16/2023-07-15",
    "2022-08-16/2023-05-15",
    "2020-01-01/2024-12-31",
    "2020-06-16/2023-07-16",
    "2020-06-16/2024-07-15",
)


def lines(ours: Served) -> list[str]:
    """Measure each range in both bases, all in turn with the year's list."""
    client = Client(ours)

    def took(path: str) -> float:
        return seconds(lambda: client.get(f"{_LIST}/{path}"))

    paths = {path: path for path in (_YEAR, *_RANGES)}
    paths |= {f"{path} cash": f"{path}?basis=cash" for path in (_YEAR, *_RANGES)}
    found = in_turn(_ROUNDS, **{name: lambda path=path: took(path) for name, path in paths.items()})
    return [
        "Ranges, 1,000,000 invoices: × the list of a whole year; and basis=cash × the same list without it.",
        "",
        "| range | ms | × year | basis=cash, ms | × accrual |",
        "|---|---|---|---|---|",
        *(_line(path, found) for path in (_YEAR, *_RANGES)),
        "",
    ]


def _line(path: str, found: dict[str, float]) -> str:
    accrual, cash = found[path], found[f"{path} cash"]
    return (
        f"| {path.replace('/', ' to ')} | {accrual * 1000:.0f} | {accrual / found[_YEAR]:.2f} "
        f"| {cash * 1000:.0f} | {cash / accrual:.2f} |"
    )
