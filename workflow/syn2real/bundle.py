"""Packing an experiment's answer with all that it came from, as an RO-Crate, and checking such a bundle.

A bundle holds configuration, lock, measurements, fits, figures, report and the metrics of every run, and
`ro-crate-metadata.json` (RO-Crate 1.1 or later) with the size and SHA-256 of each. It holds no images and no
weights: those are made again from the same configuration and lock.
"""

import hashlib
import json
import tempfile
import zipfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from rocrate.model.softwareapplication import SoftwareApplication
from rocrate.rocrate import ROCrate

from syn2real.config.plan import Plan
from syn2real.errors import InputError
from syn2real.files import atomic, file_digest
from syn2real.provenance import git_commit
from syn2real.version import __version__

METADATA = "ro-crate-metadata.json"
LOCK = "envs/requirements.txt"


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
    folders: list[str] = []
    if name in plan.experiments:
        folders += [run.folder for run in plan.pretrainings(name)]
        folders += [run.folder for run in plan.finetunings(name)]
    needed = [LOCK, config, plan.config.renderings, plan.config.targets]
    if name in plan.answered():
        laws = ("fits.json", "fits.csv", "advice.md", "advice.html")
        needed += [f"results/points/{name}.csv", *(f"results/laws/{name}/{file}" for file in laws)]
        needed += [f"results/figures/{name}/{figure}.svg" for figure in plan.questions()[name].figures]
    needed += [f"{folder}/metrics.json" for folder in folders] + _complexity(plan, name)
    if name in plan.experiments:
        needed.append(f"{plan.config.recipes}/{plan.experiments[name].recipe}.yaml")
    contents = {path: Path(path) for path in needed}
    contents[f"config/experiments/{name}.yaml"] = Path(plan.files[name])
    for path, file in contents.items():
        if not file.is_file():
            mend = "run the experiment first" if path.startswith("results/") else "run this where it lies"
            raise InputError(f"there is no such file; {mend}", file=path)
    welcome = [Path("results/report.html"), Path(plan.config.downloads) / "lock.tsv"]
    welcome += [path for kind in ("laws", "figures") for path in Path(f"results/{kind}/{name}").glob("*")]
    return contents | {path.as_posix(): path for path in welcome if path.is_file()}


def _complexity(plan: Plan, name: str) -> list[str]:
    """Return the files on the complexity of an experiment's settings and on its reference backbone."""
    e = plan.experiments.get(name)
    if e is None or e.complexity is None:
        return []
    files = [
        *plan.complexities(name),
        f"results/complexity/{name}.md",
        f"results/figures/{name}/complexity.svg",
    ]
    if e.complexity.reference in plan.trained_references():
        files.append(f"results/references/{e.complexity.reference}/metrics.json")
    return files


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
    crate.description = plan.questions()[name].question
    # The answer's own date: packing it again changes nothing.
    made = contents[f"results/laws/{name}/fits.json"].stat().st_mtime
    crate.datePublished = datetime.fromtimestamp(made, UTC)
    entities = {
        path: crate.add_file(file, path, properties=_digests(file)) for path, file in contents.items()
    }
    results = [entity for path, entity in entities.items() if path.startswith("results/")]
    sources = [entity for path, entity in entities.items() if not path.startswith("results/")]
    commit = git_commit()
    said = {"softwareVersion": __version__} | ({"identifier": commit} if commit else {})
    software = _software(crate, "syn2real", said)
    _software(crate, "snakemake", {"softwareVersion": version("snakemake")})
    crate.add_action(software, "#run", sources, results, {"name": f"run of experiment {name}"})
    return crate


def _software(crate: ROCrate, name: str, said: dict[str, str]) -> Any:
    """Add a program to the crate."""
    return crate.add(SoftwareApplication(crate, f"#{name}", properties={"name": name} | said))


def _digests(file: Path) -> dict[str, Any]:
    """Return what a file is checked against."""
    return {"contentSize": str(file.stat().st_size), "sha256": file_digest(file)}


def verify_bundle(path: str | Path) -> tuple[int, list[str]]:
    """Check a bundle against its own digests.

    Parameters
    ----------
    path : str or Path
        A bundle, as `write_bundle` wrote it.

    Returns
    -------
    count : int
        Files that it describes.
    problems : list of str
        A line for each file that is missing, changed, undescribed or outside the bundle; none if it is whole.

    Raises
    ------
    InputError
        The file is no bundle.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            graph = json.loads(archive.read(METADATA))["@graph"]
            described = {entity["@id"]: entity for entity in graph if "File" in _types(entity)}
            problems = [problem for id_ in described if (problem := _check(archive, names, described[id_]))]
    except FileNotFoundError:
        raise InputError("there is no such file", file=path) from None
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError) as error:
        raise InputError(f"is no whole bundle ({error}); get it again", file=path) from None
    problems += [f"{name}: is there twice" for name in sorted(set(names)) if names.count(name) > 1]
    loose = sorted(set(names) - set(described) - {METADATA})
    return len(described), problems + [f"{name}: is not described in {METADATA}" for name in loose]


def _types(entity: dict[str, Any]) -> list[str]:
    """Return an entity's types, one or more."""
    kind = entity.get("@type", [])
    return [kind] if isinstance(kind, str) else list(kind)


def _check(archive: zipfile.ZipFile, names: list[str], entity: dict[str, Any]) -> str | None:
    """Say what is wrong with one described file."""
    name = entity["@id"]
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts:
        return f"{name}: lies outside the bundle"
    if name not in names:
        return f"{name}: is missing"
    content = archive.read(name)
    if "sha256" not in entity:
        return f"{name}: has no digest"
    if str(len(content)) != str(entity.get("contentSize")):
        return f"{name}: has {len(content)} bytes, not {entity.get('contentSize')}"
    found = hashlib.sha256(content).hexdigest()
    return None if found == entity["sha256"] else f"{name}: has SHA-256 {found}, not {entity['sha256']}"
