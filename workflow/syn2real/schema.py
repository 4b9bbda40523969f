"""What every model of the configuration shares: unknown keys are errors, values do not change."""

import json
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
"""A name that becomes a folder: lower-case letters, digits and single hyphens."""


class Section(BaseModel):
    """A section of the configuration; strict about keys, frozen once read. No number is infinite or NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def plain(section: BaseModel) -> dict[str, Any]:
    """Return a model as plain, key-sorted data: Snakemake compares params by their text."""
    value: dict[str, Any] = json.loads(json.dumps(section.model_dump(mode="json"), sort_keys=True))
    return value
