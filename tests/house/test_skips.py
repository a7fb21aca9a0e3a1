"""A skipped test gives a reason, and a missing program fails in CI."""

import ast
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
# What no package brings: the kind of machine, its fonts, its account. All else is for `absent()`.
OF_THE_MACHINE = {
    "typst sets this text with the fonts that are here",
    "this machine has no address but 127.0.0.1",
    "nobody but root has another account for its servers",
    "nobody but root may mount a folder here",
    "no Docker engine",
    "there is no docker command",
    "docker has no compose",
    "FAULTS_AMQP_URL names a broker that is not ours to break",
}


def calls() -> Iterator[tuple[str, str, list[ast.expr]]]:
    """Each use of pytest's skips: place, kind and arguments."""
    for path in sorted(TESTS.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        given = {id(node.func): node.args for node in ast.walk(tree) if isinstance(node, ast.Call)}
        for node in ast.walk(tree):
            is_way = isinstance(node, ast.Attribute) and node.attr in WAYS
            if is_way and ast.unparse(node.value) in {"pytest", "pytest.mark", "unittest"}:
                yield str(path.relative_to(TESTS)), node.attr, given.get(id(node), [])


WAYS = {"skip", "skipif", "importorskip", "xfail", "SkipTest"}


def test_each_skip_has_its_reason_in_the_line() -> None:
    reasons = set()
    for path, way, given in calls():
        if path == "servers.py":  # absent() itself
            continue
        assert way == "skip", f"{path}: {way} decides before the test begins, or hides a failure"
        assert given, path
        assert isinstance(given[0], ast.Constant), f"{path}: use absent() of tests/servers.py"
        reasons.add(given[0].value)
    assert reasons == OF_THE_MACHINE
