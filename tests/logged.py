"""Fixture: what was logged."""

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from shared.process import logs
from shared.process.settings import Settings

Logged = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logged() -> Iterator[Logged]:
    """All log lines since the test began, parsed from JSON."""
    root = logging.getLogger()
    handlers, level, stream = root.handlers[:], root.level, io.StringIO()
    shown = warnings.showwarning
    logs.configure(Settings(log_level="debug"), stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    warnings.showwarning = shown
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
