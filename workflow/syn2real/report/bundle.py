"""Packing an experiment's results with all that they were made from, as an RO-Crate.

A bundle holds configuration, lock, measurements, fits, figures, report, the metrics and per-image results of
every run, and `ro-crate-metadata.json` (RO-Crate 1.1 or later) with the size and SHA-256 of each. It holds no
images and no weights: those can be made again from the same configuration and lock.
"""

import os
import tempfile
import zipfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rocrate.model.softwareapplication import SoftwareApplication
from rocrate.rocrate import ROCrate

from syn2real.assets.fetch import LOCK, MATERIALS
from syn2real.complexity.schema import TrainedReference
from syn2real.errors import InputError
from syn2real.files import atomic, file_digest
from syn2real.jobs.provenance import git_commit
from syn2real.laws.per_image import FILE as PER_IMAGE
from syn2real.plan.plan import Plan
from syn2real.plan.runs import REFERENCE
from syn2real.version import __version__

REQUIREMENTS = "envs/requirements.txt"
REPORTS = "results/reports/{}.html"
"""Where an experiment's own report lies, by its name; `make bundle` makes it."""


def bundle_contents(plan: Plan, name: str, config: str = "config/config.yaml") -> dict[str, Path]:
    """Return the files of a bundle: path within it to path on this machine.

    Parameters
    ----------
    plan : Plan
        The configuration.
    name : str
        The experiment.
    config : str
        The file the plan was read from.

    Raises
    ------
    InputError
        A result is not there yet; names the first.
    """
    contents = _configuration(plan, name, config)
    contents |= {path: Path(path) for path in [*plan.experiments[name].answer, *_metrics(plan, name)]}
    for path, file in contents.items():
        if not file.is_file():
            made = path.startswith("results/")
            hint = "run the experiment first" if made else "run this in the folder of the Snakefile"
            raise InputError(f"there is no such file; {hint}", file=file)
    contents[REPORTS.format(name)] = _report(plan, name)
    # Runs of earlier versions have no per-image results.
    judged = [Path(run.folder) / PER_IMAGE for run in plan.experiments[name].finetunings]
    contents |= {file.as_posix(): file for file in judged if file.is_file()}
    # What was downloaded, so that the same can be downloaded elsewhere.
    downloads = Path(plan.config.downloads)
    fetched = [path for pattern in (LOCK, f"*/{MATERIALS}") for path in downloads.glob(pattern)]
    return contents | {f"resources/downloads/{p.relative_to(downloads).as_posix()}": p for p in fetched}


def _configuration(plan: Plan, name: str, config: str) -> dict[str, Path]:
    """Return what an experiment is made of, under the names that the workflow's own files have."""
    files = {"config.yaml": config, f"experiments/{name}.yaml": plan.experiments[name].file}
    files |= {"renderings.yaml": plan.config.renderings, "targets.yaml": plan.config.targets}
    files["datasets.tsv"] = plan.config.datasets
    if e := plan.run.get(name):
        trained = [r.recipe for r in e.references.values() if isinstance(r, TrainedReference)]
        for recipe in dict.fromkeys([e.recipe, *trained]):
            own, *extended = plan.recipe_files[recipe].files
            files[f"recipes/{recipe}.yaml"] = str(own)
            files |= {f"recipes/{_beside(file, own)}": str(file) for file in extended}
    return {REQUIREMENTS: Path(REQUIREMENTS)} | {f"config/{path}": Path(file) for path, file in files.items()}


def _beside(file: Path, own: Path) -> str:
    """Return where the file that a recipe extends lies in a bundle: as it lay, never above the folder."""
    relative = Path(os.path.relpath(file, own.parent))
    return file.name if ".." in relative.parts else relative.as_posix()


def _metrics(plan: Plan, name: str) -> list[str]:
    """Return the metrics of every run of an experiment, and of the reference backbone it trains."""
    e, record = plan.run.get(name), plan.experiments[name]
    if e is None:
        return []
    runs = [run.folder for run in record.pretrainings] + [run.folder for run in record.finetunings]
    if e.complexity and e.complexity.reference in plan.trained_references():
        runs.append(REFERENCE.format(reference=e.complexity.reference))
    return [f"{folder}/metrics.json" for folder in runs]


def _report(plan: Plan, name: str) -> Path:
    """Return the experiment's own report, which shows its results as they are now."""
    path = Path(REPORTS.format(name))
    if not path.is_file() or path.stat().st_mtime < _answered_at(plan, name):
        problem = "is older than the results" if path.is_file() else "there is no such file"
        command = f"snakemake --report {path} --config experiment={plan.experiments[name].file}"
        raise InputError(f"{problem}; make it: mkdir -p {path.parent} && {command}", file=path)
    return path


def _answered_at(plan: Plan, name: str) -> float:
    """Return when the last file of an experiment's answer was written, as a POSIX time."""
    return max(Path(path).stat().st_mtime for path in plan.experiments[name].answer)


def write_bundle(plan: Plan, name: str, output: str | Path, config: str = "config/config.yaml") -> int:
    """Write an experiment's bundle; equal contents give equal bytes.

    Parameters
    ----------
    plan : Plan
        The configuration.
    name : str
        The experiment.
    output : str or Path
        The zip file to write.
    config : str
        The file the plan was read from.

    Returns
    -------
    int
        How many files it holds.

    Raises
    ------
    InputError
        A result is not there yet.
    """
    contents = bundle_contents(plan, name, config)
    with tempfile.TemporaryDirectory() as folder:
        _crate(plan, name, contents).write(folder)
        files = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        with atomic(output) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                # A fixed date: the same contents give the same archive.
                entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0))
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                archive.writestr(entry, file.read_bytes())
    return len(contents)


def _crate(plan: Plan, name: str, contents: dict[str, Path]) -> ROCrate:
    """Describe the files: what they are of, what made them, and their digests."""
    crate = ROCrate()
    crate.name = f"syn2real experiment {name}"
    crate.description = plan.experiments[name].asked.question
    # The answer's own date: packing it again changes nothing.
    crate.datePublished = datetime.fromtimestamp(_answered_at(plan, name), UTC)
    entities = {
        path: crate.add_file(file, path, properties=_digests(file)) for path, file in contents.items()
    }
    results = [entity for path, entity in entities.items() if path.startswith("results/")]
    sources = [entity for path, entity in entities.items() if not path.startswith("results/")]
    commit = git_commit()
    properties = {"softwareVersion": __version__} | ({"identifier": commit} if commit else {})
    software = _software(crate, "syn2real", properties)
    _software(crate, "snakemake", {"softwareVersion": version("snakemake")})
    crate.add_action(software, "#run", sources, results, {"name": f"run of experiment {name}"})
    return crate


def _software(crate: ROCrate, name: str, properties: dict[str, str]) -> Any:
    """Add a program to the crate."""
    return crate.add(SoftwareApplication(crate, f"#{name}", properties={"name": name} | properties))


def _digests(file: Path) -> dict[str, Any]:
    """Return what a file is checked against."""
    return {"contentSize": str(file.stat().st_size), "sha256": file_digest(file)}
