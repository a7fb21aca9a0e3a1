"""The answers of the health calls."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Alive(BaseModel):
    """The process answers."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok"]


class Readiness(BaseModel):
    """Whether the API can work, and the state of each resource: `ok`, or what is wrong.

    A warning is for the operator: the API can work all the same. Without one `warnings` is missing.
    """

    model_config = ConfigDict(frozen=True)

    status: Literal["ok", "unavailable"]
    checks: dict[str, str]
    warnings: dict[str, str] = Field(default={})
