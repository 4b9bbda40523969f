"""The workflow's own configuration: which experiments to run, and where data lies."""

from pydantic import Field

from syn2real.schema import Name, Section, UserPath


class WorkflowConfig(Section):
    """config/config.yaml, with what `--config` adds."""

    experiments: tuple[UserPath, ...] = Field((), description="experiment files to run by default")
    experiment: UserPath | None = Field(None, description="one experiment file to run instead")
    renderings: UserPath = Field("config/renderings.yaml", description="the shared rendering settings")
    targets: UserPath = Field("config/targets.yaml", description="the shared target data sets")
    recipes: UserPath = Field("config/recipes", description="the folder of the recipes")
    datasets: UserPath = Field("config/datasets.tsv", description="the table of what can be fetched")
    downloads: UserPath = Field(
        "resources/downloads", description="where fetched archives and their lock file are kept"
    )
    objects: dict[Name, UserPath] = Field(
        {}, description="object collections you have: name → folder in BOP layout"
    )
    textures: dict[Name, UserPath] = Field(
        {}, description="materials you have: name → folder in ambientCG layout"
    )

    def files(self) -> tuple[str, ...]:
        """Return the experiment files to run."""
        return (self.experiment,) if self.experiment else self.experiments
