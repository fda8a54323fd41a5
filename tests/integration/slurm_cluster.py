"""A SLURM of its own on this machine: munge, a controller and some nodes of one core, without systemd, cgroups or accounting."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["MISSING", "Slurm", "wait_for"]

_TOOLS = ("munged", "mungekey", "slurmctld", "slurmd", "sbatch", "squeue", "sinfo", "scontrol", "scancel")
_MEMORY_MB = 16000
# Where jobs look, from which Snakemake takes what SLURM's own variables say.
_PLACE = Path("/etc/slurm/slurm.conf")

MISSING = ", ".join(
    [tool for tool in _TOOLS if shutil.which(tool, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None]
    + (["root's rights"] if os.geteuid() else [])
    + ([f"another SLURM ({_PLACE})"] if os.path.lexists(_PLACE) else [])
)
"""What stands in the way of a SLURM here; empty where nothing does."""


def wait_for(what: Callable[[], bool], seconds: float) -> None:
    """Ask again and again; an error after `seconds`."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.2)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Slurm:
    """A cluster in a folder; its processes, and they alone, end with the context.

    Attributes
    ----------
    environment : dict
        Of commands that talk to this cluster.
    """

    def __init__(self, folder: Path, n_nodes: int = 2) -> None:
        self.folder = folder
        # Nobody else's: processes are known by their node.
        self.nodes = [f"test{os.getpid()}n{k + 1}" for k in range(n_nodes)]
        self._processes: dict[str, subprocess.Popen] = {}
        self.environment = {
            **os.environ,
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
        }

    def __enter__(self) -> "Slurm":
        for name in ("state", "log", "munge", *self.nodes):
            (self.folder / name).mkdir(parents=True)
        _PLACE.parent.mkdir(exist_ok=True)
        self._configure()
        try:
            self._start_munge()
            _PLACE.symlink_to(self.folder / "slurm.conf")
            self._start("slurmctld", "slurmctld", "-D")
            for node in self.nodes:
                self._start(node, "slurmd", "-D", "-N", node)
            wait_for(self._idle, 30)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if _PLACE.is_symlink() and _PLACE.readlink() == self.folder / "slurm.conf":
            _PLACE.unlink()
        if "slurmctld" in self._processes:
            subprocess.run(["scancel", "--user=root"], env=self.environment, capture_output=True, timeout=30)
        for process in reversed(self._processes.values()):
            process.terminate()
        for process in self._processes.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def ask(self, *command: str) -> str:
        """What one of SLURM's commands prints."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=30)
        return done.stdout.strip()

    def lose(self, node: str) -> None:
        """A node's power fails: its daemon and all that runs there are gone before any of it can tell."""
        self._processes[node].kill()
        jobs, keepers = set(), set()
        mark = f"SLURMD_NODENAME={node}\0".encode()
        for process in Path("/proc").glob("[0-9]*"):
            try:
                environment = (process / "environ").read_bytes() + b"\0"
                parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
                keeper = Path("/proc", parent, "cmdline").read_bytes().startswith(b"slurmstepd")
            except OSError:
                continue
            if mark in environment:
                jobs.add(int(process.name))
                keepers |= {int(parent)} if keeper else set()
        for victim in (*keepers, *jobs):
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        self._processes[node].wait()

    def lose_controller(self, seconds: float) -> None:
        """The controller is killed, and started again after a while; jobs go on meanwhile."""
        self._processes["slurmctld"].kill()
        self._processes["slurmctld"].wait()
        time.sleep(seconds)
        self._start("slurmctld", "slurmctld", "-D")

    def _idle(self) -> bool:
        return sorted(self.ask("sinfo", "-h", "-N", "-t", "idle", "-o", "%N").split()) == self.nodes

    def _start(self, name: str, *command: str) -> None:
        with open(self.folder / "log" / f"{name}.out", "wb") as log:
            self._processes[name] = subprocess.Popen(
                command, env=self.environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True
            )

    def _start_munge(self) -> None:
        place = self.folder / "munge"
        place.chmod(0o711)
        key = place / "key"
        subprocess.run(["mungekey", "--create", f"--keyfile={key}"], check=True, env=self.environment)
        files = [f"--{kind}={place / kind}" for kind in ("socket", "pid-file", "log-file", "seed-file")]
        self._start("munged", "munged", "--foreground", "--force", f"--key-file={key}", *files)
        wait_for((place / "socket").exists, 10)

    def _configure(self) -> None:
        here, host = self.folder, socket.gethostname().split(".")[0]
        lines = [
            "ClusterName=test", f"SlurmctldHost={host}(127.0.0.1)", "SlurmUser=root",
            f"SlurmctldPort={_free_port()}", "AuthType=auth/munge", f"AuthInfo=socket={here}/munge/socket,cred_expire=5",
            "CredType=cred/munge", f"StateSaveLocation={here}/state", f"SlurmctldPidFile={here}/slurmctld.pid",
            f"SlurmctldLogFile={here}/log/slurmctld.log", f"SlurmdPidFile={here}/slurmd-%n.pid",
            f"SlurmdLogFile={here}/log/slurmd-%n.log", f"SlurmdSpoolDir={here}/%n",
            "SlurmdParameters=config_overrides", "ProctrackType=proctrack/linuxproc", "TaskPlugin=task/none",
            "JobAcctGatherType=jobacct_gather/linux", "JobAcctGatherFrequency=1",
            "JobAcctGatherParams=OverMemoryKill", "AccountingStorageType=accounting_storage/none",
            "MpiDefault=none", "SelectType=select/cons_tres", "SelectTypeParameters=CR_CPU_Memory",
            "SchedulerParameters=sched_interval=1,batch_sched_delay=0", "ReturnToService=2", "SlurmdTimeout=5",
            "KillWait=2",
        ]  # fmt: skip
        lines += [
            f"NodeName={node} NodeHostname={host} NodeAddr=127.0.0.1 Port={_free_port()} CPUs=1 "
            f"RealMemory={_MEMORY_MB} State=UNKNOWN"
            for node in self.nodes
        ]
        lines.append(f"PartitionName=main Nodes={','.join(self.nodes)} Default=YES State=UP")
        (here / "slurm.conf").write_text("\n".join(lines) + "\n")
