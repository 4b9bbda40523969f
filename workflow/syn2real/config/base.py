"""What every model of the configuration shares: unknown keys are errors, values do not change."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
"""A name that becomes a folder: lower-case letters, digits and single hyphens."""


class Section(BaseModel):
    """A section of the configuration; strict about keys, frozen once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)
