"""The work that each request costs, counted in calls of our own functions.

Time depends on what else a machine does; the number of calls does not. More calls may be right:
then the limits here are set anew, and the rates in bench/RESULTS.md are measured again.
"""

import sys
from collections import Counter
from pathlib import Path
from types import FrameType

import pytest

from tests.services.api.api_client import NOVEMBER, REPORTS, Api

ROOT = Path(__file__).parents[4]
OURS = (str(ROOT / "services"), str(ROOT / "shared"))


async def _calls(reader: Api, path: str, **headers: str) -> Counter[str]:
    """Return how often each of our functions was called, or continued, for a request."""
    found: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(OURS):
            found[frame.f_code.co_qualname] += 1

    sys.setprofile(note)
    try:
        await reader.get(path, headers=headers)
    finally:
        sys.setprofile(None)
    return found


@pytest.mark.parametrize(
    ("path", "most"), [(f"client/4/{NOVEMBER}", 120), (NOVEMBER, 105)], ids=["one customer", "304"]
)
async def test_few_of_our_functions_are_called_for_a_report(
    reader: Api, path: str, most: int
) -> None:
    first = await reader.get(f"{REPORTS}/{path}")
    known = {"If-None-Match": first.headers["ETag"]} if "ETag" in first.headers else {}
    # The process may do something for itself meanwhile, but not in each of five requests.
    calls = min(
        [await _calls(reader, f"{REPORTS}/{path}", **known) for _ in range(5)], key=Counter.total
    )
    assert calls.total() <= most, calls.most_common()
