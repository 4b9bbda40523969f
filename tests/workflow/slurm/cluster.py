"""A real Slurm on this machine: its own daemons on loopback, three nodes, two pretend GPUs."""

import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel")
GPU_NODE, CPU_NODES = "gpu1", ("cpu1", "cpu2")
GPUS = 2
NOTHING = os.makedev(1, 3)
"""What a pretend GPU is: the same device as /dev/null."""
MARK = "NODE_OF_THE_TESTS"
"""Marks a node's daemons, and those that watch over its jobs, among others on the same machine."""

CONFIG = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=0,sched_interval=5,sched_min_interval=0,bf_interval=5,defer_batch
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
MinJobAge=3600
SlurmdTimeout=20
KillWait=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool.%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
GresTypes=gpu
{nodes}
PartitionName=small Nodes={cpu_nodes} Default=YES MaxTime=INFINITE
PartitionName=accelerated Nodes={gpu_node} MaxTime=INFINITE
"""


class Cluster:
    """The daemons of a Slurm in a folder of its own.

    Parameters
    ----------
    folder : Path
        Where configuration, sockets, state and logs lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: dict[str, subprocess.Popen] = {}

    @property
    def environment(self) -> dict[str, str]:
        """What a shell needs to talk to this Slurm."""
        path = f"{self.folder / 'bin'}{os.pathsep}/usr/sbin{os.pathsep}{os.environ['PATH']}"
        return os.environ | {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": path}

    def start(self) -> None:
        """Write the configuration and start munged, slurmctld and a slurmd for each node."""
        self._configure()
        munge = ("key-file=munge.key", "socket=munge.socket", "pid-file=munge.pid", "log-file=munge.log")
        options = [f"--{o.replace('=', f'={self.folder}/')}" for o in (*munge, "seed-file=munge.seed")]
        self._daemon("munged", "munged", "--foreground", "--force", *options)
        _wait_for((self.folder / "munge.socket").exists, "munged")
        self._daemon("slurmctld", "slurmctld", "-D")
        for node in (*CPU_NODES, GPU_NODE):
            self.start_node(node)
        _wait_for(lambda: self.run("sinfo", "-hN", "-o", "%T").split() == ["idle"] * 3, "the nodes")

    def start_node(self, node: str) -> None:
        """Start the daemon of a node."""
        self._daemon(node, "slurmd", "-D", "-N", node, **{MARK: node})

    def lose_node(self, node: str) -> None:
        """Kill a node's daemons, then its jobs: as in a power failure, nobody is left to report it."""
        for variable in (MARK, "SLURMD_NODENAME"):
            for process in processes(variable, node):
                os.kill(process, signal.SIGKILL)
        self.daemons.pop(node).wait()

    def stop(self) -> None:
        """Cancel all jobs, end all daemons, and remove the pretend GPUs."""
        self.run("scancel", "--user=root", "--signal=KILL")
        for daemon in reversed(self.daemons.values()):
            daemon.terminate()
        for daemon in self.daemons.values():
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
        for process in processes("SLURM_CONF", str(self.folder / "slurm.conf")):
            os.kill(process, signal.SIGKILL)
        shutil.rmtree(self.folder / "devices")

    def run(self, *command: str) -> str:
        """Return what a Slurm command prints; nothing where it fails."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        return done.stdout

    def jobs(self) -> list[dict[str, str]]:
        """Return all jobs so far, running and ended, as `scontrol` lists them."""
        lines = self.run("scontrol", "show", "job", "--details", "--oneliner").splitlines()
        return [dict(w.split("=", 1) for w in line.split() if "=" in w) for line in lines if "JobId=" in line]

    def _configure(self) -> None:
        for name in ("state", "devices", "bin"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "munge.key").write_bytes(os.urandom(1024))
        (self.folder / "munge.key").chmod(0o600)
        host, ports = socket.gethostname().split(".")[0], free_ports(4)
        nodes = [
            f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=8 RealMemory=64000"
            + (f" Gres=gpu:{GPUS}" if node == GPU_NODE else "")
            for node, port in zip((*CPU_NODES, GPU_NODE), ports[1:], strict=True)
        ]
        fill = {"host": host, "port": ports[0], "folder": self.folder, "nodes": "\n".join(nodes)}
        text = CONFIG.format(**fill, cpu_nodes=",".join(CPU_NODES), gpu_node=GPU_NODE)
        (self.folder / "slurm.conf").write_text(text)
        for index in range(GPUS):
            os.mknod(self.folder / f"devices/gpu{index}", 0o666 | stat.S_IFCHR, NOTHING)
        devices = f"{self.folder}/devices/gpu[0-{GPUS - 1}]"
        (self.folder / "gres.conf").write_text(f"NodeName={GPU_NODE} Name=gpu File={devices}\n")
        # The executor's inner srun loses SLURM_CONF, and /etc/slurm is not ours to write.
        self._program("srun", f'SLURM_CONF={self.folder}/slurm.conf exec {shutil.which("srun")} "$@"')
        self._program("nvidia-smi", *(f"echo 'GPU {index}: pretended'" for index in range(GPUS)))

    def _program(self, name: str, *lines: str) -> None:
        path = self.folder / "bin" / name
        path.write_text("\n".join(("#!/bin/sh", *lines, "")))
        path.chmod(0o755)

    def _daemon(self, name: str, *command: str, **environment: str) -> None:
        with (self.folder / f"{name}.log").open("a") as log:
            self.daemons[name] = subprocess.Popen(
                command,
                env=self.environment | environment,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )


def missing() -> str:
    """Say why no Slurm can be started here; nothing where one can."""
    if os.getuid() != 0:
        return "Slurm's daemons and the pretend GPUs' device nodes need root"
    with tempfile.TemporaryDirectory() as folder:
        try:
            os.mknod(f"{folder}/gpu0", 0o666 | stat.S_IFCHR, NOTHING)
        except OSError as error:
            return f"the pretend GPUs' device nodes cannot be made here: {error.strerror}"
    search = f"{os.environ['PATH']}{os.pathsep}/usr/sbin"
    absent = [name for name in PROGRAMS if shutil.which(name, path=search) is None]
    return f"not installed: {', '.join(absent)} (.ci/run installs Debian's packages)" if absent else ""


def processes(variable: str, value: str) -> list[int]:
    """Return the processes that were started with an environment variable of that value."""
    everything = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
    return [process for process in everything if environment_of(process).get(variable) == value]


def environment_of(process: int) -> dict[str, str]:
    """Return what a process was started with; nothing of one that has ended."""
    try:
        entries = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    except OSError:
        return {}
    pairs = (entry.decode(errors="replace").partition("=") for entry in entries)
    return {name: value for name, _, value in pairs}


def free_ports(count: int) -> list[int]:
    """Return ports of loopback that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def _wait_for(condition, what: str, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not start in {seconds:g} s"
        time.sleep(0.1)
