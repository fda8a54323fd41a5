"""Kills, damage, two runs at once, full and read-only disks, machine code, a lost controller: the same command must give every product, byte for byte.

`python tests/integration/torture.py [--kills N] [--seed S]` prints what was done, how often, and what was lost; `--only damaged,two_at_once
--times 30` does some of it. A tiny run (one galaxy and five star clusters) is finished once; every case starts from a copy of it
from which products are taken away, so that jobs have to run, and is finished by the same command.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from clumpscope.files import attend

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/integration")]

from slurm_cluster import MISSING, Slurm  # noqa: E402
from test_slurm import TARGET, end_without_controller, prepare, submit  # noqa: E402
from test_workflow import RUN, clusters, mock_field  # noqa: E402
from workflow_run import product_bytes, snakemake, write_config  # noqa: E402

# Products that a case takes away at most: more of them take minutes to make.
_MOST = 20
_LIBRARY = "resources/ssp/bc03_miles_cloudy.npz"


def _children(process: int) -> list[int]:
    """Processes that a process started, those that ended and were not waited for left out."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) == process and state != "Z":
                found.append(int(folder.name))
    return found


class Torture:
    """A finished run in `folder`/whole, and copies of it to be broken.

    Parameters
    ----------
    folder : Path
    rng : numpy.random.Generator
    cores : int
        Of every run.
    """

    def __init__(self, folder: Path, rng: np.random.Generator, cores: int) -> None:
        self.folder, self.rng, self.cores = folder, rng, cores
        self.tally: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.losses: list[str] = []
        self.terminal = folder / "terminal.txt"
        whole = folder / "whole"
        whole.mkdir(exist_ok=True)
        field = mock_field() | {
            "mock": {"size_arcsec": 24, "n_galaxies": 1, "n_clumps": 3, "n_stars": 8},
            "injection": {},
        }
        self.argument = write_config(
            whole, {"fields": {"mock": field, "clusters": clusters(whole, 4)}, "run": RUN}
        )
        self.tree = self._tree()
        self.start(whole).wait()
        self.truth = product_bytes(whole)
        assert "results/report.html" in self.truth, self.terminal.read_text()[-3000:]
        self.jobs = self._jobs(whole)

    def _tree(self) -> Path:
        """A copy of the workflow, whose data may be damaged; the one that made the finished run."""
        tree = self.folder / "tree"
        if not tree.exists():
            for name in ("workflow", "rules", "resources", "profiles", "envs", "config"):
                shutil.copytree(ROOT / name, tree / name, symlinks=True)
            shutil.copy(ROOT / "Snakefile", tree)
        return tree

    def start(self, folder: Path, **environment: str) -> subprocess.Popen:
        """Start the command that every run here is, in a process group of its own; its words go beside the folder, which may be full."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(self.tree / "Snakefile"), "--cores",
                   str(self.cores), "--workflow-profile", str(self.tree / "profiles/default"), self.argument]  # fmt: skip
        own = {"PYTHONPATH": str(self.tree / "workflow")}
        with self.terminal.open("a") as log:
            return subprocess.Popen(
                command,
                cwd=folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | own | environment,
            )

    def _jobs(self, folder: Path) -> list[tuple[list[str], list[str]]]:
        """Products of every job, and all that is made from them: Snakemake makes what is asked for, and what that needs."""
        jobs, users, needed = defaultdict(list), defaultdict(set), {}
        for path in (folder / ".snakemake/metadata").rglob("*"):
            if path.is_file():
                entry = json.loads(path.read_text())
                job = (entry["rule"], *entry["log"])
                jobs[job].append(path)
                needed[job] = entry["input"]
        outputs = {job: [self._name(folder, path) for path in paths] for job, paths in jobs.items()}
        for job, inputs in needed.items():
            for name in inputs:
                users[name] |= {*outputs[job]}
        closed = []
        for names in outputs.values():
            own = [name for name in names if name in self.truth]
            reached, waiting = set(own), list(own)
            while waiting:
                new = users[waiting.pop()] & self.truth.keys() - reached
                reached |= new
                waiting += new
            if len(own) > 0 and len(reached) < _MOST:
                closed.append((sorted(own), sorted(reached)))
        return sorted(closed)

    @staticmethod
    def _name(folder: Path, path: Path) -> str:
        from base64 import urlsafe_b64decode

        parts = path.relative_to(folder / ".snakemake/metadata").parts
        return urlsafe_b64decode("".join(part.lstrip("@") for part in parts)).decode()

    def pick(self, values):
        return values[int(self.rng.integers(len(values)))]

    def copy(self, lost: list[str] = ()) -> Path:
        """A copy of the finished run without some products."""
        case = self.folder / "case"
        shutil.rmtree(case, ignore_errors=True)
        shutil.copytree(self.folder / "whole", case, symlinks=True)
        for name in lost:
            (case / name).unlink()
        self.terminal.write_text("")
        return case

    def finish(self, kind: str, what: str, case: Path, **environment: str) -> None:
        """Run the same command to its end and count what is missing or different, and litter."""
        code = self.start(case, **environment).wait()
        self.compare(kind, what, code, product_bytes(case), self.truth)

    def compare(
        self, kind: str, what: str, code: int, found: dict[str, bytes], truth: dict[str, bytes]
    ) -> None:
        """Count what is missing or different, without what the run itself named, and litter."""
        told = self.terminal.read_text()
        other = [name for name, content in truth.items() if found.get(name) != content]
        lost = [name for name in other if f"{name} is no longer what its job wrote" not in told]
        litter = [name for name in found if ".writing-" in name]
        named = len(other) - len(lost)
        print(f"{kind}: {what}: code {code}, lost {lost[:3]}, named {named}, litter {litter[:3]}", flush=True)
        counts = {"times": 1, "lost": len(lost), "named": named, "litter": len(litter), "failed": code != 0}
        for key, count in counts.items():
            self.tally[kind][key] += count
        if lost or litter or code:
            self.losses.append(
                f"{kind}: {what}: code {code}, lost {lost[:6]}, litter {litter[:3]}\n{told[-900:]}"
            )

    def hindered(self, kind: str, case: Path) -> None:
        """A run that cannot do its work: it may give no other bytes, but for the report of what there is, nor say that all is well."""
        code, found = self.start(case).wait(), product_bytes(case)
        common = found.keys() & self.truth.keys() - {"results/report.html"}
        wrong = sorted(name for name in common if found[name] != self.truth[name])
        if wrong or (code == 0 and not self.truth.keys() <= found.keys()):
            self.losses.append(
                f"{kind}: a run that was hindered ended with code {code}, other bytes in {wrong[:6]}"
            )

    def many(self) -> list[str]:
        """Products of two jobs and of all that hang on them."""
        return sorted({name for _ in range(2) for name in self.pick(self.jobs)[1]})

    def at_work(self, find: Callable[[int], list[int]]) -> tuple[str, Path, subprocess.Popen]:
        """A product that was taken away, a copy without it, and the run there up to two seconds after `find` finds its jobs."""
        lost = self.many()
        case = self.copy(lost)
        run = self.start(case)
        while run.poll() is None and not find(run.pid):
            time.sleep(0.01)
        if run.poll() is None:
            time.sleep(float(self.rng.uniform(0.0, 2.0)))
        return lost[0], case, run

    # -- cases ----------------------------------------------------------------------------------------------------

    def killed_between_outputs(self) -> None:
        outputs, reached = self.pick([job for job in self.jobs if len(job[0]) > 1])
        case, first = self.copy(reached), self.rng.integers(1, len(outputs))
        run = self.start(case)
        while run.poll() is None and sum((case / name).exists() for name in outputs) < first:
            time.sleep(0.001)
        self._kill_group(run)
        self.finish("killed between outputs", outputs[0], case)

    def killed_at_any_time(self) -> None:
        lost = self.many()
        case = self.copy(lost)
        run = self.start(case)
        time.sleep(float(self.rng.uniform(1.0, 15.0)))
        self._kill_group(run)
        self.finish("killed at any time", lost[0], case)

    def killed_job(self) -> None:
        """The process that does the work, or the shell that waits for it, in turn."""
        kind = "one job killed"
        find = (self._scripts, self._forked)[self.tally[kind]["times"] % 2]
        lost, case, run = self.at_work(find)
        while run.poll() is None and not (jobs := find(run.pid)):
            time.sleep(0.001)
        if run.poll() is None:
            self._kill(jobs[0])
        code = run.wait()
        self.finish(kind, f"{lost} ({find.__name__}, it ended with {code})", case)

    def killed_job_server(self) -> None:
        """The process that forks the jobs; those that it had forked have nobody left to tell."""
        lost, case, run = self.at_work(self._forked)
        if run.poll() is None:
            self._kill(self._job_server(run.pid))
        code = run.wait()
        self.finish("process that forks the jobs killed", f"{lost} (it ended with {code})", case)

    def killed_snakemake(self) -> None:
        """Its jobs are to end with it."""
        lost, case, run = self.at_work(self._scripts)
        self._kill(run.pid)
        run.wait()
        self.finish("Snakemake alone killed", lost, case)

    def damaged_product(self) -> None:
        endings = sorted({Path(name).suffix for name, content in self.truth.items() if content})
        ending = endings[self.tally["product damaged"]["times"] % len(endings)]
        name = self.pick([name for name, content in self.truth.items() if content and name.endswith(ending)])
        case = self.copy()
        how = self.damage(case / name)
        self.finish("product damaged", f"{how} {name}", case)

    def damage(self, path: Path) -> str:
        """Cut a file or flip one of its bits; says which. Half of them keep their times: a disk changes none."""
        state, content, how = path.stat(), bytearray(path.read_bytes()), self.pick(("cut", "flipped"))
        place = int(self.rng.integers(len(content)))
        if how == "cut":
            content = content[:place]
        else:
            content[place] ^= 1 << int(self.rng.integers(8))
        path.write_bytes(content)
        if self.rng.random() < 0.5:
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        return how

    def damaged_library(self) -> None:
        """Of stellar spectra: fits fail until the file is back."""
        case = self.copy(self.pick([own for _, own in self.jobs if any("/sed/" in name for name in own)]))
        library = self.tree / _LIBRARY
        content, state = library.read_bytes(), library.stat()
        how = self.damage(library)
        self.hindered("library damaged", case)
        said = _LIBRARY in self.terminal.read_text()
        library.write_bytes(content)
        os.utime(library, ns=(state.st_atime_ns, state.st_mtime_ns))
        self.finish("library damaged", f"{how}, {'named' if said else 'not named'}", case)

    def two_at_once(self) -> None:
        case = self.copy(self.many())
        first = self.start(case)
        while first.poll() is None and not self._scripts(first.pid):
            time.sleep(0.01)
        second = self.start(case)
        codes = first.wait(), second.wait()
        if codes[0]:
            self.losses.append(f"two at once: codes {codes}\n{self.terminal.read_text()[-900:]}")
        self.finish("two runs at once", f"codes {codes}", case)

    def read_only(self) -> None:
        with self._mounted() as case:
            subprocess.run(["mount", "-o", "remount,ro", str(case.parent)], check=True)
            self.hindered("results read-only", case)
            subprocess.run(["mount", "-o", "remount,rw", str(case.parent)], check=True)
            self.finish("results read-only", "", case)

    def full_disk(self) -> None:
        """From nothing to some megabytes are left: the disk is full at the start, or in the middle."""
        with self._mounted() as case:
            ballast, left = case.parent / "ballast", int(self.rng.integers(4)) << 19
            with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while file.write(bytes(1 << 16)):
                    pass
            os.truncate(ballast, ballast.stat().st_size - left)
            self.hindered("disk full", case)
            ballast.unlink()
            self.finish("disk full", f"{left} bytes left", case)

    def machine_code(self) -> None:
        """All from the beginning, with an empty cache of machine code, and with a damaged one; all other cases have it filled."""
        cache = self.folder / "machine_code"
        shutil.rmtree(cache, ignore_errors=True)
        for state in ("empty", "damaged"):
            if state == "damaged":
                for path in sorted(cache.rglob("*.nb?")):
                    self.damage(path)
            case = self.copy()
            shutil.rmtree(case / "results")
            self.finish("cache of machine code", state, case, NUMBA_CACHE_DIR=str(cache))

    def killed_controller(self) -> None:
        """A run on a SLURM whose controller is killed, away for some seconds, and started again."""
        case, truth = self.folder / "case", self.folder / "slurm"
        if not truth.exists():
            truth.mkdir()
            snakemake(truth, prepare(truth), TARGET, cores=self.cores)
        shutil.rmtree(case, ignore_errors=True)
        case.mkdir()
        after, away = self.rng.uniform(5.0, 40.0), self.rng.uniform(1.0, 20.0)
        with tempfile.TemporaryDirectory(dir=self.folder) as place, Slurm(Path(place)) as cluster:
            code = end_without_controller(cluster, submit(cluster, case, TARGET), after, away)
            if again := code != 0:
                process = submit(cluster, case, TARGET)
                self.terminal.write_text(process.communicate()[0])
                code = process.returncode
        what = f"after {after:.0f} s for {away:.0f} s{', run twice' * again}"
        self.compare("SLURM's controller killed", what, code, product_bytes(case), product_bytes(truth))

    # -- processes and mounts -------------------------------------------------------------------------------------

    @staticmethod
    def _kill(pid: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    @staticmethod
    def _kill_group(run: subprocess.Popen) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()

    @staticmethod
    def _scripts(group: int) -> list[int]:
        """Processes of a group that run a rule's script."""
        found = []
        for folder in Path("/proc").iterdir():
            if not folder.name.isdecimal():
                continue
            try:
                words = (folder / "cmdline").read_bytes()
                if b".snakemake/scripts/" in words and os.getpgid(int(folder.name)) == group:
                    found.append(int(folder.name))
            except OSError:
                continue
        return found

    @staticmethod
    def _job_server(snakemake: int) -> int:
        """The process that forks the jobs of a run."""
        for child in _children(snakemake):
            if b"clumpscope.job_server" in Path(f"/proc/{child}/cmdline").read_bytes():
                return child
        raise LookupError(f"no process forks the jobs of {snakemake}")

    @classmethod
    def _forked(cls, snakemake: int) -> list[int]:
        """Processes that were forked to do jobs of a run."""
        try:
            return _children(cls._job_server(snakemake))
        except (LookupError, OSError):
            return []

    @contextlib.contextmanager
    def _mounted(self) -> Iterator[Path]:
        """A copy of the finished run, without products of a few jobs, on a disk of its own."""
        place = self.folder / "mount"
        place.mkdir(exist_ok=True)
        size = 40 + sum(map(len, self.truth.values())) // (1 << 20)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}m", "tmpfs", str(place)], check=True)
        try:
            yield Path(shutil.copytree(self.copy(self.many()), place / "case", symlinks=True))
        finally:
            subprocess.run(["umount", "-l", str(place)], check=True)


# What is done -> how often beside a hundred kills.
CASES = {
    "between_outputs": (Torture.killed_between_outputs, 34),
    "any_time": (Torture.killed_at_any_time, 16),
    "one_job": (Torture.killed_job, 18),
    "snakemake": (Torture.killed_snakemake, 16),
    "job_server": (Torture.killed_job_server, 16),
    "damaged": (Torture.damaged_product, 40),
    "library": (Torture.damaged_library, 4),
    "two_at_once": (Torture.two_at_once, 5),
    "full_disk": (Torture.full_disk, 5),
    "read_only": (Torture.read_only, 5),
    "machine_code": (Torture.machine_code, 1),
    "controller": (Torture.killed_controller, 2),
}


def stands_in_the_way(case: str) -> str:
    """Why a case cannot be done here; empty where it can."""
    if case == "controller":
        return MISSING
    return "no right to mount a disk" if case in ("full_disk", "read_only") and os.geteuid() else ""


def main() -> None:
    """Do what is asked for, and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100, help="all kinds of cases, so many of them kills")
    parser.add_argument("--only", type=lambda text: text.split(","), default=[*CASES], help=", ".join(CASES))
    parser.add_argument("--times", type=int, help="of each kind, in place of --kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cores", type=int, default=2, help="of each run")
    parser.add_argument(
        "--folder", type=Path, help="where to work; a run that is finished there is used again"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (asked.folder or Path(temporary)).resolve()
        _, alone = attend(folder)
        if not alone:
            raise SystemExit(
                f"another one is at work in {folder}: its cases and these would be of each other's ruins"
            )
        torture = Torture(folder, np.random.default_rng(asked.seed), asked.cores)
        for name in asked.only:
            case, share = CASES[name]
            if reason := stands_in_the_way(name):
                print(f"{name}: not done: {reason}")
                continue
            for _ in range(asked.times or max(1, share * asked.kills // 100)):
                case(torture)
    print(*torture.losses, sep="\n")
    keys = ("times", "lost", "named", "litter", "failed")
    print(f"{'what was done':32s}" + "".join(f"{key:>8s}" for key in keys))
    for kind, counts in torture.tally.items():
        print(f"{kind:32s}" + "".join(f"{counts[key]:8d}" for key in keys))
    if torture.losses:
        raise SystemExit("something was lost")


if __name__ == "__main__":
    main()
