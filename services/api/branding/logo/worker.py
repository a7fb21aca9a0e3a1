"""The work of a process that re-encodes one logo."""

import json
import resource
import sys
from typing import Final

from PIL import Image

from services.api.branding.logo.codec import Unusable, re_encoded
from services.api.branding.logo.picture import OCTETS_MAX
from shared.rendering import confinement

_MEMORY_BYTES_MAX: Final = 256 * 1024 * 1024
_CPU_S_MAX: Final = 3  # of the processor; the largest honest files take a tenth of it


def work() -> None:
    """Answer with a line of JSON, `error` or the picture's sides, and the octets of the PNG.

    The process has no files, no network and little memory: the picture comes from a stranger.
    """
    confinement.go_first()
    Image.preinit()  # loads the modules of the formats while files may still be opened
    confinement.confine(())
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES_MAX, _MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S_MAX, _CPU_S_MAX))
    try:
        picture = re_encoded(sys.stdin.buffer.read(OCTETS_MAX + 1))
    except Unusable as error:
        _answer(b"", error=str(error))
    else:
        _answer(picture.png, width=picture.width, height=picture.height)


def _answer(png: bytes, **head: str | int) -> None:
    sys.stdout.buffer.write(json.dumps(head).encode() + b"\n" + png)
    sys.stdout.buffer.flush()
