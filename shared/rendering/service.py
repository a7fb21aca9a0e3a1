"""How a rendering process serves: requests come by standard input, answers go by standard output.

It is a process of its own so that typesetting delays no other work, so that a crash of native code
takes nothing else with it, and so that it has a processor of its own.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final, Generic, TypeVar

from shared.rendering import confinement
from shared.rendering.answers import Answer, Ready, answer_frame
from shared.rendering.frames import TOGETHER

_ANSWER_S_MAX: Final = 120  # seconds for one answer
_SOON_S: Final = 0.005  # an answer waits no longer for others to be written with it
_READ_OCTETS: Final = 262_144

Request = TypeVar("Request")


@dataclass(frozen=True)
class Service(Generic[Request]):
    """What a process does: how it finds the requests in what it has read, and answers them.

    `fonts` are the files that it reads, and `uncovered` returns the scripts that they lack.
    """

    fonts: Sequence[str]
    uncovered: Callable[[], Sequence[str]]
    requests_in: Callable[[bytearray], Iterator[Request]]
    answer: Callable[[Request], Answer]


def serve(start: Callable[[], Service[Request]]) -> None:
    """Write that the process is ready, then answer each request until the pipe is closed."""
    confinement.go_first()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    service = start()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    rights = confinement.confine(service.fonts)
    _write(answers, [Ready(tuple(_remarks(service.uncovered(), rights)))])
    # The words of native code that panics may hold a part of somebody's text.
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())
    for requests in _incoming(sys.stdin.fileno(), service.requests_in):
        done, begun = [], time.monotonic()
        for number, request in enumerate(requests, start=1):
            done.append(_answered(service, request))
            late = time.monotonic() - begun > _SOON_S
            if late or len(done) == TOGETHER or number == len(requests):
                _write(answers, done)
                done, begun = [], time.monotonic()


def _remarks(uncovered: Sequence[str], rights: Sequence[str]) -> Iterator[str]:
    for right in rights:
        yield f"rendering processes have a right that they do not need: {right}"
    if uncovered:
        yield f"no font here has letters of {', '.join(uncovered)}: PDFs show boxes for them"


def _answered(service: Service[Request], request: Request) -> Answer:
    signal.alarm(_ANSWER_S_MAX)  # ends the process, also in the midst of typst
    try:
        return service.answer(request)
    finally:
        signal.alarm(0)


def _incoming(
    pipe: int, requests_in: Callable[[bytearray], Iterator[Request]]
) -> Iterator[list[Request]]:
    """Yield all requests that have come, again and again, until the pipe is closed."""
    data = bytearray()
    while more := os.read(pipe, _READ_OCTETS):
        data += more
        yield list(requests_in(data))


def _write(pipe: BinaryIO, answers: Sequence[Answer]) -> None:
    pipe.write(b"".join(map(answer_frame, answers)))
    pipe.flush()
