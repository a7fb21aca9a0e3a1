import pytest

from shared.trace import Trace

ID, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("given", "flags"),
    [
        (f"00-{ID}-{SPAN}-01", 1),
        (f"00-{ID}-{SPAN}-00", 0),
        (f"00-{ID}-{SPAN}-ff", 3),
        (f"cc-{ID}-{SPAN}-01", 1),
        (f"cc-{ID}-{SPAN}-01-what-will-be", 1),
    ],
)
def test_a_trace_is_read_from_any_version(given: str, flags: int) -> None:
    trace = Trace.parse(given)
    assert trace == Trace(ID, SPAN, flags)
    assert str(trace) == f"00-{ID}-{SPAN}-0{flags}"


@pytest.mark.parametrize(
    "given",
    [
        "",
        f"00-{ID}-{SPAN}",
        f"00-{ID}-{SPAN}-01-more",
        f"cc-{ID}-{SPAN}-01.more",
        f"ff-{ID}-{SPAN}-01",
        f"00-{ID.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{ID}-{'0' * 16}-01",
        f"00-{ID}-{SPAN}-01\n",
        f" 00-{ID}-{SPAN}-01",
    ],
)
def test_what_is_no_trace(given: str) -> None:
    assert Trace.parse(given) is None


def test_a_child_is_another_span_of_the_same_trace() -> None:
    parent = Trace(ID, SPAN, 1)
    child = parent.child()
    assert (child.trace_id, child.flags) == (ID, 1)
    assert child.span_id != SPAN
    assert Trace.parse(str(child)) == child


def test_a_new_trace_is_nobody_elses() -> None:
    assert Trace.begin().trace_id != Trace.begin().trace_id
    assert Trace.parse(str(Trace.begin())) is not None
