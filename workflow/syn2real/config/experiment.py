"""An experiment: which runs, or which table of measurements, answer one question. One YAML file each."""

from typing import TYPE_CHECKING, Annotated, Any, Self, TypeVar

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from syn2real import plugins
from syn2real.backbones.schema import RANDOM, InitialWeights, ModelName
from syn2real.complexity.schema import Complexity, Reference
from syn2real.config.finetuning import PHOTOGRAPHS, FineTuning, PTask
from syn2real.config.lengths import Length, Pilot, without_duplicates
from syn2real.config.needs import claim_needs, needs
from syn2real.config.recipe import shortened_name
from syn2real.data.arms import Arm
from syn2real.data.own_renders.schema import AnyOwnRenders, OwnRenders
from syn2real.data.pools import Pool
from syn2real.data.targets.schema import Target
from syn2real.render.schema import Rendering, may_be_off, rendering_model
from syn2real.schema import Name, Section, UserPath, later, renamed

SAMPLED = "samples"
"""Of `paper_figures`: the sample images of an experiment's settings, which are drawn of every setting."""

if TYPE_CHECKING:
    AnyFigure = str
    Drawn = str
    FigureName = str
    AnyRendering = Rendering
    AnyClaim = str
    ClaimName = str
else:
    AnyFigure = plugins.one_of(plugins.names("report.figures"))
    Drawn = plugins.one_of([*plugins.names("report.figures"), SAMPLED])
    FigureName = plugins.one_of([f for f in plugins.names("report.figures") if "complexity" not in needs(f)])
    AnyClaim = plugins.one_of(plugins.names("report.claims"))
    ClaimName = plugins.one_of(
        [c for c in plugins.names("report.claims") if "complexity" not in claim_needs([c])],
        dict.fromkeys(plugins.names("report.claims"), "a claim on measured complexities"),
    )
    AnyRendering = rendering_model(may_be_off())
"""A rendering with whatever randomisations there are."""

T = TypeVar("T")


def setting_kind(value: Any) -> str:
    """Return `pool` or `own-renders` for what has a key of theirs alone, else `rendering`.

    Of several keys that belong to a kind one may be misspelt.
    """
    keys = value if isinstance(value, dict) else getattr(value, "__dict__", {})
    if any(key in keys for key in Pool.model_fields):
        return "pool"
    return "own-renders" if "images" in keys or "annotations" in keys else "rendering"


def setting_model(value: Any) -> type[Rendering | OwnRenders | Pool]:
    """Return the model of a setting that is not validated yet."""
    models: dict[str, type[Rendering | OwnRenders | Pool]]
    models = {"pool": Pool, "own-renders": AnyOwnRenders, "rendering": AnyRendering}
    return models[setting_kind(value)]


Setting = Annotated[
    Annotated[AnyRendering, Tag("rendering")]
    | Annotated[AnyOwnRenders, Tag("own-renders")]
    | Annotated[Pool, Tag("pool")],
    Discriminator(setting_kind),
]
"""The kind is known before the keys are checked, so that a mistake is reported for the right kind."""


class StandIn(Section):
    """A target made by rendering, for where no labelled photographs can be had: a stand-in, no real data."""

    setting: Name = Field(description="the rendering setting of the stand-in's images")
    train_images: int = Field(gt=0, description="images of its training set, whole scenes")
    test_images: int = Field(gt=0, description="images of its test set, whole scenes")

    @model_validator(mode="before")
    @classmethod
    def _test_was_val(cls, values: Any) -> Any:
        """Read `val_images` as `test_images`, as files of versions before call it."""
        return renamed(values, "val_images", "test_images")


class Costs(Section):
    """What things cost, in one currency of your own; only ratios matter for the advice."""

    image: float | None = Field(default=None, gt=0, description="cost of one more rendered image")
    run: float | None = Field(default=None, gt=0, description="cost of one pre-training with its fine-tuning")


class PaperMethod(Section):
    """The paper's own estimator (§4.1, Appendix D): one D for all curves, then α and C of each."""

    fix_D: float | None = Field(
        None, gt=0, description="the D to hold (the paper: 0.48); by default its medians find one"
    )


class Question(Section):
    """What every experiment has: a question, what it needs to be answered, and the figures of the answer."""

    name: Name = Field(description="the experiment's name; its results lie under it")
    question: str = Field(min_length=1, description="what it is to answer, for the report")
    cost: str = Field(min_length=1, description="what it costs, in words")
    expected: str = Field(min_length=1, description="the result expected, in words")
    target_error: float | None = Field(None, gt=0, lt=1, description="the error you need, for the advice")
    max_images: int | None = Field(None, gt=0, description="the most images you could render")
    costs: Costs = Field(Costs(), description="costs, for the advice")
    figures: tuple[FigureName, ...] = Field(
        ("curves", "parameters"), description="figures to draw; each is one of the paper's"
    )
    paper_figures: dict[Drawn, tuple[Annotated[int, Field(ge=1, le=14)], ...]] = Field(
        {},
        description="which of the paper's figures its drawings are, for one sheet of them all: figure → "
        "numbers; samples are the images of its settings (Figure 7)",
    )
    extrapolate_from: int | None = Field(
        None, gt=0, description="figure extrapolation: fit the sizes below this n, predict those above it"
    )
    claims: tuple[AnyClaim, ...] = Field(
        (), description="the paper's claims to judge by the results, for the table that the report opens with"
    )
    paper: PaperMethod | None = Field(
        None, description="fit by the paper's own method too, and draw each figure by both, side by side"
    )

    @property
    def drawn(self) -> tuple[str, ...]:
        """What is drawn of it: the figures that it asks for."""
        return self.figures

    @field_validator("figures", "claims")
    @classmethod
    def _each_once(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return without_duplicates(values)

    @model_validator(mode="after")
    def _numbered_figures_are_drawn(self) -> Self:
        for figure, numbers in self.paper_figures.items():
            if not numbers or len({*numbers}) < len(numbers):
                raise ValueError(f"paper_figures: {figure} needs one or more numbers, each once")
            if figure == SAMPLED and SAMPLED not in self.drawn:
                raise ValueError("paper_figures: a table has no images, so no samples; drop them")
            if figure not in self.drawn:
                raise ValueError(f"paper_figures: {figure} is not among its figures; add it there")
        return self

    @model_validator(mode="after")
    def _extrapolation_has_its_start(self) -> Self:
        if "extrapolation" in self.figures and self.extrapolate_from is None:
            raise ValueError("figures: extrapolation needs extrapolate_from, the n below which to fit")
        for claim in self.claims:
            if "extrapolation" in claim_needs([claim]) and self.extrapolate_from is None:
                raise ValueError(f"claims: {claim} needs extrapolate_from, the n below which to fit")
        return self

    @model_validator(mode="after")
    def _advice_has_its_target(self) -> Self:
        for figure in self.figures:
            if "advice" in needs(figure) and self.target_error is None:
                raise ValueError(f"figures: {figure} needs target_error, the error to reach")
        return self


class Measurements(Section):
    """Where a table of measurements is: a CSV of points, or of the columns that the authors published."""

    path: UserPath | None = Field(None, description="the file, where you have it")
    url: str | None = Field(None, pattern=r"^https?://", description="where to fetch it from otherwise")
    sha256: str | None = Field(
        None, pattern=r"^[0-9a-f]{64}$", description="what the fetched file must be, in hexadecimal digits"
    )
    select: dict[str, tuple[str | int | float, ...]] = Field(
        {}, description="rows to use: column of the points → the values to keep"
    )
    ignore: tuple[str, ...] = Field((), description="columns of the points that do not set curves apart")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.path is None) == (self.url is None):
            raise ValueError("give either 'path' or 'url'")
        if (self.url is None) != (self.sha256 is None):
            raise ValueError("'url' and 'sha256' go together: what is fetched is held to its checksum")
        return self


class Measured(Question):
    """One question put to a table of measurements that exists already: laws, figures, advice, no runs."""

    measurements: Measurements = Field(description="the table")
    figures: tuple[AnyFigure, ...] = Field(
        ("curves", "parameters"),
        description="figures to draw; complexity has the settings on its axis in the order of select.setting",
    )
    claims: tuple[ClaimName, ...] = Field(
        (),
        description="the paper's claims to judge by the table; select.setting is the order of complexity",
    )

    @property
    def settings(self) -> tuple[str, ...]:
        """The settings that it selects, in their order; none where it does not select by setting."""
        return tuple(map(str, self.measurements.select.get("setting", ())))

    @model_validator(mode="after")
    def _complexity_has_its_order(self) -> Self:
        if any("settings" in needs(figure) for figure in self.figures) and not self.settings:
            raise ValueError(
                "figures: complexity needs measurements.select.setting, the least complex setting first"
            )
        for claim in self.claims:
            if "levels" in claim_needs([claim]) and not self.settings:
                raise ValueError(
                    f"claims: {claim} needs measurements.select.setting, the least complex first"
                )
        return self


class Experiment(Question):
    """One question and the grid of runs that answers it, or the complexity of settings, or both."""

    recipe: Name = Field(description="the training recipe: a file of config/recipes/")
    length: Length = later(
        1.0,
        description="shortens the recipe: lengths, warm-ups and evaluation intervals of both stages "
        "times this; it is then another recipe in paths and points (day-x0.25), never in one fit with others",
    )
    pretrain_length: Length = later(
        1.0,
        description="shortens the recipe's pre-training alone, besides `length`: another recipe too "
        "(day-p0.25, day-x0.5-p0.25). What mixed and photographs-longer add to their updates shrinks with it",
    )
    pilot: Pilot = later(
        Pilot(),
        description="what `snakemake pilot` tries, which chooses lengths and rates; no other call runs it",
    )
    settings: tuple[Name, ...] = Field(
        min_length=1, description="settings to pre-train on and to measure the complexity of"
    )
    ptasks: tuple[PTask, ...] = Field((), description="pre-training tasks")
    ftasks: tuple[FineTuning, ...] = Field((), description="fine-tuning tasks and their targets")
    models: tuple[ModelName, ...] = Field(("resnet50",), min_length=1, description="backbones")
    sizes: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (),
        description="pre-training sizes n in images; whole scenes, or any draw from a pool; 0: none",
    )
    initial: tuple[Name, ...] = later(
        (RANDOM,),
        min_length=1,
        description="weights that pre-training starts from, and fine-tuning without it (n = 0): random, "
        "published ones of the models (imagenet, coco), or files of yours, by their names in initial_weights",
    )
    initial_weights: dict[Name, InitialWeights] = later({}, description="files of weights to start from")
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field((0,), min_length=1, description="run seeds")
    renderings: dict[Name, Setting] = Field({}, description="settings of this experiment alone")
    targets: dict[Name, Target] = Field({}, description="targets of this experiment alone")
    stand_ins: dict[Name, StandIn] = Field({}, description="targets to make by rendering")
    complexity: Complexity | None = Field(None, description="how to measure the complexity of the settings")
    references: dict[Name, Reference] = Field({}, description="reference backbones for the complexity")

    @property
    def trained_by(self) -> str:
        """The recipe's name in paths and tables, which says how it is shortened."""
        return shortened_name(self.recipe, self.length, self.pretrain_length)

    @property
    def drawn(self) -> tuple[str, ...]:
        """What is drawn of it: its figures, samples of its settings, and their complexity if measured."""
        measured = [figure for figure in plugins.names("report.figures") if "complexity" in needs(figure)]
        return (*self.figures, SAMPLED, *(measured if self.complexity else ()))

    @field_validator("settings", "ptasks", "models", "initial", "sizes", "seeds")
    @classmethod
    def _no_duplicates(cls, values: tuple[T, ...]) -> tuple[T, ...]:
        return without_duplicates(values)

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        missing = [key for key in ("ptasks", "ftasks", "sizes") if not getattr(self, key)]
        if missing and (len(missing) < 3 or self.complexity is None):
            raise ValueError(
                f"{missing[0]}: this key is missing or empty; runs need ptasks, ftasks and sizes"
            )
        return self

    @model_validator(mode="after")
    def _claims_can_be_judged(self) -> Self:
        for claim in self.claims:
            needed = claim_needs([claim])
            if "complexity" in needed and self.complexity is None:
                raise ValueError(f"claims: {claim} needs complexity, how to measure it")
            if {"points", "draws"} & {*needed} and not self.sizes:
                raise ValueError(f"claims: {claim} needs runs: ptasks, ftasks and sizes")
        return self

    @model_validator(mode="after")
    def _distinct_ftasks(self) -> Self:
        pairs = [(f.task, f.target) for f in self.ftasks]
        for pair in pairs:
            if pairs.count(pair) > 1:
                raise ValueError(f"ftasks: {pair[0]} on {pair[1]} is listed twice; join their percents")
        return self

    @model_validator(mode="after")
    def _arms_have_their_runs(self) -> Self:
        for f in self.ftasks:
            for arm in map(Arm.named, f.arms):
                if arm.needs_labels_on_renders and f.task not in self.ptasks:
                    raise ValueError(f"ptasks: {arm.name} needs renders labelled for {f.task}; add it")
            if f.longer and 0 not in self.sizes:
                raise ValueError(f"sizes: add 0: {f.longer} needs photographs alone, trained as long")
            if PHOTOGRAPHS in f.rates and 0 not in self.sizes:
                raise ValueError(f"ftasks: rates: {PHOTOGRAPHS} is of n = 0, which is not among sizes")
        return self

    @model_validator(mode="after")
    def _pretrain_lengths_have_an_arm(self) -> Self:
        arms = [Arm.named(name) for f in self.ftasks for name in f.arms]
        if self.pilot.pretrain_lengths and not any(arm.finetunes_renders for arm in arms):
            problem = "no arm here fine-tunes what was pre-trained (backbone, whole); drop it"
            raise ValueError(f"pilot: pretrain_lengths: {problem}")
        return self

    @model_validator(mode="after")
    def _every_ptask_is_used(self) -> Self:
        for f in self.ftasks:
            for ptask in f.ptasks or ():
                if ptask not in self.ptasks:
                    raise ValueError(f"ftasks: {f.task} follows '{ptask}', which is not among ptasks; add it")
        for ptask in self.ptasks:
            if not any(f.follows(ptask) for f in self.ftasks):
                raise ValueError(f"ptasks: no ftask follows '{ptask}'; drop it or name it in an ftask")
        return self

    @model_validator(mode="after")
    def _something_to_predict(self) -> Self:
        if self.extrapolate_from is not None and max(self.sizes, default=0) <= self.extrapolate_from:
            raise ValueError("extrapolate_from: no size is above it; nothing is left to predict")
        return self


def experiment_model(value: Any) -> type[Experiment | Measured]:
    """Return the model of an experiment file that is not validated yet."""
    return Measured if isinstance(value, dict) and "measurements" in value else Experiment
