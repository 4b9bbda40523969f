"""The workflow's own configuration: which experiments to run, and where data lies."""

from pydantic import Field

from syn2real.schema import Name, Section


class WorkflowConfig(Section):
    """config/config.yaml, with what `--config` adds."""

    experiments: tuple[str, ...] = Field((), description="experiment files to run by default")
    experiment: str | None = Field(None, description="one experiment file to run instead")
    renderings: str = Field("config/renderings.yaml", description="the shared rendering settings")
    targets: str = Field("config/targets.yaml", description="the shared target data sets")
    recipes: str = Field("config/recipes", description="the folder of the recipes")
    datasets: str = Field("config/datasets.tsv", description="the table of what can be fetched")
    downloads: str = Field(
        "resources/downloads", description="where fetched archives and their lock file are kept"
    )
    objects: dict[Name, str] = Field(
        {}, description="object collections you have: name → folder in BOP layout"
    )
    textures: dict[Name, str] = Field({}, description="materials you have: name → folder in ambientCG layout")

    def files(self) -> tuple[str, ...]:
        """Return the experiment files to run."""
        return (self.experiment,) if self.experiment else self.experiments
