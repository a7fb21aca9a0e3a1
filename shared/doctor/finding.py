"""What a check of `doctor` finds, and what to do about it."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class Status(StrEnum):
    """How serious a finding is; `skipped` means that the check could not be made."""

    OK = "ok"
    SKIPPED = "skipped"
    WARNING = "warning"
    FAILURE = "failure"


class Finding(BaseModel):
    """What one check found; a warning or a failure says what to do."""

    model_config = ConfigDict(frozen=True)

    check: str = Field(description="The name of the check, such as `postgres.rights`.")
    status: Status
    found: str = Field(description="What was found, for people.")
    advice: str = Field(default="", description="What to do; empty if nothing is to be done.")


class Said(BaseModel):
    """A finding without the name of its check."""

    model_config = ConfigDict(frozen=True)

    status: Status
    found: str
    advice: str = ""


def ok(found: str) -> Said:
    """Return that nothing is to be done."""
    return Said(status=Status.OK, found=found)


def skipped(found: str, advice: str = "") -> Said:
    """Return that the check could not be made, and why."""
    return Said(status=Status.SKIPPED, found=found, advice=advice)


def warning(found: str, advice: str) -> Said:
    """Return what works, but should be changed."""
    return Said(status=Status.WARNING, found=found, advice=advice)


def failure(found: str, advice: str) -> Said:
    """Return what does not work."""
    return Said(status=Status.FAILURE, found=found, advice=advice)
