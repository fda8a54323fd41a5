"""Kills, damage, two runs at once, full and read-only disks, caches of machine code: the same command must give every product, byte for byte.

`python tests/integration/torture.py --kills N [--seed S]` prints what was done, how often, and what was lost. A tiny
run (two galaxies and five star clusters) is finished once; every case starts from a copy of it from which products are
taken away, so that jobs have to run, and is finished by the same command.
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
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests/integration")]

from test_workflow import RUN, clusters, mock_field  # noqa: E402
from workflow_run import product_bytes, write_config  # noqa: E402

# Products that a case takes away at most: more of them take minutes to make.
_MOST = 20
_ENDINGS = (".ecsv", ".fits", ".png", ".pdf", ".json", ".nc", ".html", ".yaml", ".tex")


class Torture:
    """A finished run in `folder`/whole, and copies of it to be broken.

    Parameters
    ----------
    folder : Path
    rng : numpy.random.Generator
    """

    def __init__(self, folder: Path, rng: np.random.Generator) -> None:
        self.folder, self.rng = folder, rng
        self.tally: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self.losses: list[str] = []
        whole = folder / "whole"
        whole.mkdir(exist_ok=True)
        field = mock_field() | {
            "mock": {"size_arcsec": 24, "n_galaxies": 1, "n_clumps": 3, "n_stars": 8},
            "injection": {},
        }
        self.argument = write_config(
            whole, {"fields": {"mock": field, "clusters": clusters(whole, 4)}, "run": RUN}
        )
        self.start(whole).wait()
        self.truth = product_bytes(whole)
        assert "results/report.html" in self.truth, (whole / "terminal.txt").read_text()[-3000:]
        self.jobs = self._jobs(whole)

    def start(self, folder: Path, **environment: str) -> subprocess.Popen:
        """Start the command that every run here is, in a process group of its own."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2",
                   "--workflow-profile", str(ROOT / "profiles/default"), self.argument]  # fmt: skip
        with (folder / "terminal.txt").open("a") as log:
            return subprocess.Popen(
                command,
                cwd=folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | environment,
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
        return case

    def finish(self, kind: str, what: str, case: Path, **environment: str) -> None:
        """Run the same command to its end and count what is missing, different, or litter; a damaged product may be named."""
        code = self.start(case, **environment).wait()
        found = product_bytes(case)
        lost = [name for name, content in self.truth.items() if found.get(name) != content]
        named = (case / "terminal.txt").read_text()
        lost = [name for name in lost if f"{name} is no longer what its job wrote" not in named]
        litter = [name for name in found if ".writing-" in name]
        print(f"{kind}: {what}: code {code}, {len(lost)} lost {lost[:3]}, {len(litter)} litter", flush=True)
        self.tally[kind]["times"] += 1
        self.tally[kind]["lost"] += len(lost)
        self.tally[kind]["litter"] += len(litter)
        self.tally[kind]["failed"] += code != 0
        if lost or litter or code:
            tail = (case / "terminal.txt").read_text()[-600:]
            self.losses.append(f"{kind}: {what}: code {code}, lost {lost[:6]}, litter {litter[:3]}\n{tail}")

    def many(self) -> list[str]:
        """Products of a few jobs."""
        return sorted({name for _ in range(4) for name in self.pick(self.jobs)[1]})

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
        lost = self.many()
        case = self.copy(lost)
        run = self.start(case)
        while run.poll() is None and not (jobs := self._scripts(run.pid)):
            time.sleep(0.01)
        if run.poll() is None:
            time.sleep(float(self.rng.uniform(0.0, 2.0)))
            for job in jobs:
                self._kill(job)
        run.wait()
        self.finish("one job killed", lost[0], case)

    def killed_snakemake(self) -> None:
        lost = self.many()
        case = self.copy(lost)
        run = self.start(case)
        while run.poll() is None and not self._scripts(run.pid):
            time.sleep(0.01)
        time.sleep(float(self.rng.uniform(0.0, 2.0)))
        self._kill(run.pid)
        run.wait()
        self.finish("Snakemake killed, its jobs not", lost[0], case)

    def damaged_product(self) -> None:
        ending = self.pick(_ENDINGS)
        names = [
            name
            for name, content in self.truth.items()
            if name.endswith(ending) and content and "/input/" not in name
        ]
        name, how = self.pick(names), self.pick(("cut", "flipped"))
        case = self.copy()
        path, content = case / name, bytearray(self.truth[name])
        state, place = path.stat(), int(self.rng.integers(len(content)))
        if how == "cut":
            content = content[:place]
        else:
            content[place] ^= 1 << int(self.rng.integers(8))
        path.write_bytes(content)
        if self.rng.random() < 0.5:  # a disk changes no times
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        self.finish(f"product {how}", name, case)

    def two_at_once(self) -> None:
        case = self.copy(self.many())
        first = self.start(case)
        while first.poll() is None and not self._scripts(first.pid):
            time.sleep(0.01)
        second = self.start(case)
        codes = first.wait(), second.wait()
        if codes[0]:
            self.losses.append(f"two at once: codes {codes}")
        self.finish("two runs at once", str(codes), case)

    def read_only(self) -> None:
        if os.geteuid() == 0 and not self._mount("tmpfs"):
            return
        case = self._on_mount()
        subprocess.run(["mount", "-o", "remount,ro", str(case.parent)], check=True)
        self.start_quietly(case)
        subprocess.run(["mount", "-o", "remount,rw", str(case.parent)], check=True)
        self.finish("results read-only", "", case)
        self._unmount(case.parent)

    def full_disk(self) -> None:
        if os.geteuid() == 0 and not self._mount("tmpfs"):
            return
        case = self._on_mount()
        ballast = case.parent / "ballast"
        with ballast.open("wb") as file:
            try:
                while True:
                    file.write(bytes(1 << 16))
                    file.flush()
            except OSError:
                pass
        self.start_quietly(case)
        ballast.unlink()
        self.finish("disk full", "", case)
        self._unmount(case.parent)

    def start_quietly(self, case: Path) -> None:
        """A run that is bound to fail, whose terminal has nowhere to go."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2",
                   "--workflow-profile", str(ROOT / "profiles/default"), self.argument]  # fmt: skip
        done = subprocess.run(command, cwd=case, capture_output=True, text=True)
        if done.returncode == 0:
            self.losses.append("a run without room for its products ended with code 0")

    def machine_code(self) -> None:
        """All from the beginning, with an empty cache of machine code, with the same once filled, and with it damaged."""
        cache = self.folder / "machine_code"
        shutil.rmtree(cache, ignore_errors=True)
        for state in ("empty", "filled", "damaged"):
            if state == "damaged":
                for path in sorted(cache.rglob("*.nb?")):
                    path.write_bytes(path.read_bytes()[: int(self.rng.integers(path.stat().st_size))])
            case = self.copy()
            shutil.rmtree(case / "results")
            self.finish("cache of machine code", state, case, NUMBA_CACHE_DIR=str(cache))

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

    def _mount(self, kind: str) -> bool:
        place = self.folder / "mount"
        place.mkdir(exist_ok=True)
        size = 40 + sum(map(len, self.truth.values())) // (1 << 20)
        return (
            subprocess.run(
                ["mount", "-t", kind, "-o", f"size={size}m", kind, str(place)], capture_output=True
            ).returncode
            == 0
        )

    def _on_mount(self) -> Path:
        lost = self.many()
        case = self.folder / "mount/case"
        shutil.copytree(self.copy(lost), case, symlinks=True)
        return case

    @staticmethod
    def _unmount(place: Path) -> None:
        subprocess.run(["umount", "-l", str(place)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--folder", type=Path, help="where to work; a run that is finished there is used again"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        torture = Torture(folder, np.random.default_rng(arguments.seed))
        kills = (
            torture.killed_between_outputs,
            torture.killed_at_any_time,
            torture.killed_job,
            torture.killed_snakemake,
        )
        for number in range(arguments.kills):
            kills[number % len(kills)]()
        for _ in range(max(1, arguments.kills // 5)):
            torture.damaged_product()
            torture.damaged_product()
        for _ in range(max(1, arguments.kills // 20)):
            torture.two_at_once()
            torture.full_disk()
            torture.read_only()
        torture.machine_code()
    print(*torture.losses, sep="\n")
    print(f"{'what was done':32s}{'times':>8s}{'lost':>8s}{'litter':>8s}{'failed':>8s}")
    for kind, counts in torture.tally.items():
        print(f"{kind:32s}" + "".join(f"{counts[key]:8d}" for key in ("times", "lost", "litter", "failed")))
    if torture.losses:
        raise SystemExit("something was lost")


if __name__ == "__main__":
    main()
