"""Runs our programs in processes forked from this one, which has imported them.

`python -m tests.forks NAME`, for tests/commands.py: to import a program takes a second of processor
time, and tests start hundreds. It serves a socket until its standard input ends.
"""

import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
from contextlib import suppress

PROGRAMS = ("services.api.__main__", "services.mailer.__main__")


def main() -> None:
    for program in PROGRAMS:
        importlib.import_module(program)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(f"\0{sys.argv[1]}")
    listener.listen(64)
    sys.stdout.write("listening\n")
    sys.stdout.flush()
    while sys.stdin not in (ready := select.select([listener, sys.stdin], [], [])[0]):
        assert ready
        asked, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            serve(asked)
            return
        asked.close()


def serve(asked: socket.socket) -> None:
    """Run a command in a child, and send its process id and status."""
    message, outputs, _, _ = socket.recv_fds(asked, 1 << 20, 2)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    leads, led = os.pipe()
    if (pid := os.fork()) == 0:
        asked.close()
        os.setsid()
        os.close(leads)
        os.close(led)
        become(outputs, **json.loads(message))
        return
    os.close(led)
    os.read(leads, 1)  # the end of the pipe: the process leads its own group
    for each in outputs:
        os.close(each)
    asked.send(str(pid).encode())
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    with suppress(OSError):  # whoever asked is gone
        asked.send(str(status).encode())
    os._exit(0)


def become(outputs: list[int], program: str, words: list[str], environ: dict[str, str]) -> None:
    """Behave like `python -m program words`, including the effect of SystemExit."""
    for number, each in enumerate([os.open(os.devnull, os.O_RDONLY), *outputs]):
        os.dup2(each, number)
        os.close(each)
    os.environ.clear()
    os.environ.update(environ)
    if f"{program}.__main__" not in PROGRAMS:
        sys.argv = [program, *words]
        runpy.run_module(program, run_name="__main__", alter_sys=True)
        return
    module = importlib.import_module(f"{program}.__main__")
    sys.modules["__main__"] = module
    sys.argv = [str(module.__file__), *words]
    module.main()


if __name__ == "__main__":
    main()
