from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints


class SignInBody(BaseModel):
    """What the page for signing in posts."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    # A key that is pasted often brings spaces or a line break along.
    key: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), Field(repr=False)]
    next: Annotated[str, StringConstraints(max_length=4000)] = ""
