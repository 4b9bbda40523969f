"""The contact sheet of the paper's figures: which drawings of which experiments stand on it, by number."""

from typing import Any

from syn2real.config.experiment import SAMPLED
from syn2real.plan import runs
from syn2real.plan.plan import ExperimentPlan, Plan


def sheet_cells(plan: Plan) -> list[dict[str, Any]]:
    """Return the cells of the contact sheet, as params.

    Returns
    -------
    list of dict
        A cell for each of the paper's figures that an experiment draws: `number`, `experiment`, `drawn` (the
        names of its drawings), `given` (whether it asks measurements that exist already) and `files`. Sorted
        by number; of one number, those of runs stand before those of given measurements. Empty where no
        experiment has `paper_figures`.
    """
    cells = []
    for name, record in plan.experiments.items():
        asked = record.asked.paper_figures
        for number in {number for numbers in asked.values() for number in numbers}:
            drawn = [figure for figure, numbers in asked.items() if number in numbers]
            files = [file for figure in drawn for file in _files(plan, record, figure)]
            given = name in plan.measured
            cells.append(
                {"number": number, "experiment": name, "drawn": drawn, "given": given, "files": files}
            )
    return sorted(cells, key=lambda cell: (cell["number"], cell["given"]))


def _files(plan: Plan, record: ExperimentPlan, figure: str) -> list[str]:
    """Return the pictures of a figure, of samples one for each setting."""
    if figure != SAMPLED:
        return [f"{runs.FIGURE.format(experiment=record.asked.name, figure=figure)}.png"]
    sources = dict.fromkeys(plan.source(setting) for setting in record.asked.settings)
    return [runs.SAMPLES.format(setting=setting) for setting in sources]
