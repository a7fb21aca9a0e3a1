"""`python -m bench.composing`: renders the snapshots of a JSON list, the first one to warm up."""

import json
import resource
import sys
import time
from datetime import UTC, datetime
from uuid import UUID

from shared.mail.mailbox import Mailbox
from shared.rendering.worker import message
from shared.statements.render import Renderer

_SENDER = Mailbox.parse("Ledgerpost <post@ledgerpost.example>")
_ACCEPTED = datetime(2024, 12, 1, tzinfo=UTC)


def main() -> None:
    """Print how long each mail took, with its PDF and without, and the memory at its peak."""
    warm, *rest = (text.encode() for text in json.load(sys.stdin))
    found = {}
    for name, renderer in (("mail", Renderer(pdf=False)), ("with_pdf", Renderer())):
        _seconds(renderer, warm)
        found[name] = [_seconds(renderer, content) for content in rest]
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({**found, "megabytes": megabytes}))


def _seconds(renderer: Renderer, content: bytes) -> float:
    started = time.perf_counter()
    message(renderer.render(content, "Thank you."), UUID(int=1), _SENDER, _ACCEPTED)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
