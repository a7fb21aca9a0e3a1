"""The answers of the health calls."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


class Alive(BaseModel):
    """The process answers."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok"]


class Readiness(BaseModel):
    """Whether the API can work, and the state of each resource: `ok`, or what is wrong."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok", "unavailable"]
    checks: dict[str, str]
