"""A training recipe: every number of pre-training and fine-tuning (§4.1, Appendix A).

Each task names its own section (`syn2real.tasks.T.schema`); this only puts them together.
"""

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field, ValidationError, create_model

from syn2real.backbones.schema import ModelName
from syn2real.errors import InputError
from syn2real.schema import Section
from syn2real.sentences import sentence
from syn2real.tasks.schema import Stage, TrainingSection, task_schema, tasks_of

_COSTS = {"models", "seconds_per_1000_images"}


def shortened_name(recipe: str, length: float, pretrain_length: float = 1.0) -> str:
    """Return what a shortened recipe is called in paths and tables, which is another recipe there."""
    name = recipe if length == 1 else f"{recipe}-x{length:.10g}"
    return name if pretrain_length == 1 else f"{name}-p{pretrain_length:.10g}"


def _exceptions_fit(section: TrainingSection) -> TrainingSection:
    """Refuse what the exceptions of one backbone make of the section, if that is wrong."""
    for model in section.models:
        try:
            section.for_model(model)
        except ValidationError as error:
            raise ValueError(f"models.{model}: {sentence(error.errors())}") from None
    return section


def _for_pretraining(section: TrainingSection) -> TrainingSection:
    """Refuse what a pre-training cannot have: its weights are random, its length is one for all n (§4.1)."""
    if section.passes is not None:
        raise ValueError("a pre-training has one length for all n; give iterations or images, not passes")
    if section.holds:
        raise ValueError(f"a pre-training has nothing trained yet that could be held; remove {section.holds}")
    return _exceptions_fit(section)


def _for_finetuning(section: TrainingSection) -> TrainingSection:
    """Refuse less than one pass: images that are never seen would count as labelled ones."""
    if section.passes is not None and section.passes < 1:
        raise ValueError(
            f"passes: {section.passes:g} would leave out some of the labelled images; give 1 or more"
        )
    return _exceptions_fit(section)


def _sections(stage: Stage, doc: str) -> type[Section]:
    """Return the model of a stage's sections: one for each task that has the stage, none of them required."""
    fields: dict[str, Any] = {}
    check = _for_pretraining if stage == "pretrain" else _for_finetuning
    for task in tasks_of(stage):
        section = task_schema(task).Section
        description = (inspect.getdoc(section) or "").partition("\n")[0].removesuffix(".")
        fields[task] = (
            Annotated[section, AfterValidator(check)] | None,
            Field(None, description=description),
        )
    return create_model(f"{stage.capitalize()}Sections", __base__=Section, __doc__=doc, **fields)


if TYPE_CHECKING:
    PretrainSections = Section
    FinetuneSections = Section
else:
    PretrainSections = _sections("pretrain", "The pre-training tasks.")
    FinetuneSections = _sections("finetune", "The fine-tuning tasks.")


class Recipe(Section):
    """How to pre-train and to fine-tune: one file of config/recipes/."""

    threads: int = Field(gt=0, le=4096, description="CPU threads a training job computes with")
    validation_images: int = Field(
        default=1000, gt=0, description="synthetic images that choose the best model (§4.1)"
    )
    pretrain: PretrainSections = Field(
        PretrainSections(), description="pre-training: a section for each task that an experiment uses"
    )
    finetune: FinetuneSections = Field(
        FinetuneSections(), description="fine-tuning: a section for each task that an experiment uses"
    )

    def require(self, stage: Stage, task: str, *, file: str | Path | None = None) -> TrainingSection:
        """Return the section of a task.

        Parameters
        ----------
        stage : {"pretrain", "finetune"}
            The stage.
        task : str
            The task.
        file : str or Path, optional
            The recipe's file, for the message.

        Raises
        ------
        InputError
            The recipe has no such section.
        """
        section: TrainingSection | None = getattr(getattr(self, stage), task, None)
        if section is None:
            raise InputError(
                "an experiment uses this section and the recipe lacks it; add it here, or choose another "
                "task or recipe there",
                file=file,
                key=f"{stage}.{task}",
            )
        return section

    def section(self, stage: Stage, task: str, model: ModelName) -> TrainingSection:
        """Return the section of one task with the exceptions of one backbone applied."""
        return self.require(stage, task).for_model(model)

    def shortened(self, length: float, pretrain_length: float = 1.0) -> "Recipe":
        """Return the recipe with all lengths times `length`, of pre-training times `pretrain_length` too."""
        by = {"pretrain": length * pretrain_length, "finetune": length}
        stages = {
            stage: sections.model_copy(
                update={task: section.shortened(by[stage]) for task, section in sections if section}
            )
            for stage, sections in (("pretrain", self.pretrain), ("finetune", self.finetune))
        }
        return self.model_copy(update=stages)

    def resolve(self, stage: Stage, task: str, model: ModelName) -> dict[str, Any]:
        """Return what a job is given: a section as plain data, without the cost estimates.

        A better estimate of the costs must not run a training again, so a job never sees it.
        """
        return self.section(stage, task, model).model_dump(mode="json", exclude=_COSTS)
