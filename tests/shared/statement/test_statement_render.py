import asyncio
import subprocess
import sys
import threading

import pytest

from shared.statement.model import StatementError
from shared.statement.pdf import Press, TypesettingError
from shared.statement.render import Renderer
from tests.shared.statement.snapshots import frozen, snapshot


async def test_rendering_leaves_the_loop_and_gives_what_render_now_gives(
    renderer: Renderer,
) -> None:
    contents = [frozen(snapshot(opening=str(n))) for n in range(8)]
    made = await asyncio.gather(*(renderer.render(content, "hi") for content in contents))
    assert made == [renderer.render_now(content, "hi") for content in contents]


async def test_never_more_threads_than_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str] = set()
    original = Press.print

    def spied(*arguments: object) -> bytes:
        seen.add(threading.current_thread().name)
        return original(*arguments)  # type: ignore[arg-type] # passed through as they came

    monkeypatch.setattr(Press, "print", spied)
    renderer = Renderer(workers=2)
    try:
        contents = [frozen(snapshot(opening=str(n))) for n in range(12)]
        await asyncio.gather(*(renderer.render(content) for content in contents))
    finally:
        renderer.close()
    assert len(seen) in {1, 2}
    assert all(name.startswith("statement") for name in seen)


async def test_bytes_that_are_no_statement_raise_a_domain_error(renderer: Renderer) -> None:
    with pytest.raises(StatementError, match="version"):
        await renderer.render(b"{}", None)


async def test_a_panic_of_the_typesetter_is_an_ordinary_error(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Panic(BaseException):
        pass

    def panics(*arguments: object) -> bytes:
        raise Panic("index out of bounds")

    monkeypatch.setattr(Press, "print", panics)
    with pytest.raises(TypesettingError, match="index out of bounds"):
        await renderer.render(frozen(snapshot()))


def test_importing_reads_no_template_and_no_font() -> None:
    program = """
import sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
import shared.statement.render
print([path for path in opened if "statement" in path and not path.endswith((".py", ".pyc"))])
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )
    assert run.stdout.strip() == "[]"
