"""A setting whose images are drawn one by one from a pool of another setting's images."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from syn2real.schema import Name, Section


class Pool(Section):
    """A setting of n images drawn from a pool, where other settings take the first whole scenes.

    A pool is the first images of another setting, in whole scenes; all of them are rendered, however small n
    is. Draws are nested within a pool: n images are among those of every larger n.
    """

    subset: Literal["images"] = Field(description="n images are single images drawn from a pool")
    of: Name = Field(description="the setting whose images are drawn: one that is rendered, or own renders")
    pools: tuple[Annotated[int, Field(gt=0)], ...] = Field(
        min_length=1,
        description="sizes of pools in images, whole scenes; n is drawn from the smallest one that holds it",
    )

    @field_validator("pools")
    @classmethod
    def _rising(cls, values: tuple[int, ...]) -> tuple[int, ...]:
        if list(values) != sorted(set(values)):
            raise ValueError("list each size once, the smallest first")
        return values

    def holding(self, n: int) -> int:
        """Return the size of the pool that n images are drawn from: 0 for none, the largest at most."""
        return next((size for size in (0, *self.pools) if size >= n), self.pools[-1])
