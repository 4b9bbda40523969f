"""The laws need Python, numpy, scipy and pandas, and nothing that only some systems have.

A child process stands for another system: it refuses the imports, and lacks the functions that Windows lacks.
"""

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from syn2real.commands.base import print_or_write
from syn2real.plugins import load, names

ELSEWHERE = """
import os, signal, sys

POSIX = set(
    "_curses _posixshmem _scproxy crypt curses fcntl grp nis ossaudiodev pty pwd readline resource spwd "
    "syslog termios tty".split()
)
INSTALLED = {"numpy", "scipy", "pandas", "dateutil", "six", "pytz", "tzdata", "syn2real"}

class Refuse:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        python = top in sys.stdlib_module_names or top.startswith("_sysconfig")
        if top in POSIX or not (python or top in INSTALLED):
            raise ModuleNotFoundError(f"refused: {name}", name=name)

for name in POSIX & {*sys.modules}:
    del sys.modules[name]
sys.meta_path.insert(0, Refuse())

import scipy.optimize, scipy.special, scipy.stats, numpy, pandas, subprocess, tempfile

ABSENT = (
    "chown chroot confstr ctermid fchdir fchmod fchown fdatasync fork forkpty fpathconf getegid geteuid "
    "getgid getgroups getloadavg getpgid getpgrp getpriority getresuid getsid getuid initgroups killpg "
    "lchown lockf major minor mkfifo mknod nice openpty pathconf pipe2 posix_fadvise posix_fallocate "
    "posix_spawn pread pwrite readv sched_getaffinity sched_setaffinity sched_yield sendfile setgid "
    "setpgid setpriority setsid setuid statvfs sync sysconf tcgetpgrp ttyname uname wait wait3 wait4 "
    "writev O_CLOEXEC O_DIRECT O_DIRECTORY O_NOCTTY O_NOFOLLOW O_NONBLOCK O_SYNC O_TMPFILE"
).split()
for name in ABSENT:
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGKILL", "SIGHUP", "SIGUSR1", "SIGALRM", "SIGCHLD", "SIGPIPE", "alarm", "setitimer", "pause"):
    delattr(signal, name)
os.linesep = "\\r\\n"
os.fsync = lambda number: os.write(number, b"")  # as on Windows, an error where the file is open for reading
"""

NEEDS_NOTHING = [name for name in names("commands") if not load("commands", name).EXTRA]
RUN = ELSEWHERE + "from syn2real.cli import main; sys.exit(main(sys.argv[1:]))"
FROM_PYTHON = """
from syn2real.laws import fit, read_csv
result = fit(read_csv("points.csv"), predict_at=[6400])
print([curve["fit"]["params"]["alpha"]["status"] for curve in result["curves"]])
"""
COMMANDS = {
    "advise": ["points.csv", "--target-error", "0.2", "--max-images", "64k", "--json", "out.json"],
    "convert": ["points.csv", "out.csv"],
    "fit": ["points.csv", "--predict-at", "6400", "--json", "out.json"],
    "theory": ["--r0", "1", "--r1", "1", "--xi", "2", "--zeta", "0", "--json", "out.json"],
    "verify": ["bundle.zip"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    header = "ptask,ftask,setting,metric,n,seed,error"
    rows = [
        f"objdet,objdet,{setting},mAP,{n},0,{n**-0.5 + 0.1}"
        for setting in ("Küche α", "室内")
        for n in (50, 100, 200, 400, 800)
    ]
    (tmp_path / "points.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    file = {"@type": "File", "@id": "α.txt", "contentSize": 1, "sha256": hashlib.sha256(b"1").hexdigest()}
    with zipfile.ZipFile(tmp_path / "bundle.zip", "w") as bundle:
        bundle.writestr("α.txt", "1")
        bundle.writestr("ro-crate-metadata.json", json.dumps({"@graph": [file]}))
    return tmp_path


def elsewhere(code: str, folder: Path, *arguments: str) -> bytes:
    """Run code as on another system: in no UTF-8, and where a file opened without an encoding is an error."""
    environment = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C", "PYTHONIOENCODING": "cp1252"}
    options = ["-X", "warn_default_encoding", "-W", "error::EncodingWarning:syn2real"]
    command = [sys.executable, *options, "-c", code, *arguments]
    path = {"PYTHONPATH": str(Path(__file__).parents[2] / "workflow")}
    done = subprocess.run(command, cwd=folder, env=environment | path, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.parametrize("name", NEEDS_NOTHING)
def test_a_command_without_extras_runs_where_posix_and_other_packages_are_missing(name, folder) -> None:
    assert elsewhere(RUN, folder, name, *COMMANDS[name])
    for made in folder.glob("out.*"):
        text = made.read_bytes().decode()
        assert text.endswith("\n") and "\r" not in text
        assert name == "theory" or "室内" in text


def test_python_fits_there_too(folder: Path) -> None:
    assert elsewhere(ELSEWHERE + FROM_PYTHON, folder) == b"['ok', 'ok']\n"


def test_json_through_a_pipe_of_another_encoding_loses_no_name(folder: Path) -> None:
    result = json.loads(elsewhere(RUN, folder, "fit", "points.csv", "--json", "-"))
    assert [curve["curve"]["setting"] for curve in result["curves"]] == ["Küche α", "室内"]


def test_json_in_utf_8_is_readable(capsys) -> None:
    print_or_write({"name": "室内"}, "-", str)
    assert "室内" in capsys.readouterr().out


def test_such_imports_are_refused_there(tmp_path: Path) -> None:
    modules = ["fcntl", "resource", "pwd", "torch", "matplotlib", "pydantic", "filelock"]
    code = f"""{ELSEWHERE}
for name in {modules}:
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        print(error)
"""
    assert elsewhere(code, tmp_path).decode().splitlines() == [f"refused: {name}" for name in modules]
