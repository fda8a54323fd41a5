"""How far a run is: jobs, galaxies and clumps done, failures so far, the time left and the time by stage, in the terminal and in a file."""

import json
import logging
import os
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .files import replacing

__all__ = ["Progress", "follow"]

# Between two lines in the terminal [s].
_EVERY_S = 15.0
_TOLD_HERE = ("progress", "job_finished", "job_started")
_CHATTER = ("Select jobs to execute", "Execute ")


def follow(logger: logging.Logger, fields: Iterable[str]) -> None:
    """Tell a run's progress in place of Snakemake's own lines, which stay in its log file."""
    for handler in logger.handlers:
        if not isinstance(handler, logging.FileHandler):
            handler.addFilter(_is_news)
    logger.addHandler(Progress(fields))


class Progress(logging.Handler):
    """Listens to Snakemake's log; when it ends there is nothing to stop.

    Parameters
    ----------
    fields : iterable of str
        Names of the fields.
    folder : path-like
        Of all products: their state is read from there, and ``progress.txt`` is written there.
    every_s : float
        Least time between two reports [s]; failures and the last job are told at once.
    """

    def __init__(
        self, fields: Iterable[str], folder: str | os.PathLike = "results", every_s: float = _EVERY_S
    ) -> None:
        super().__init__()
        self.fields, self.folder, self.every_s = list(fields), Path(folder), every_s
        self.failed: dict[int, str] = {}
        self.running: dict[int, tuple[str, float]] = {}
        self.spent: dict[str, tuple[int, float]] = {}
        self.done, self.total = 0, 0
        self.start, self.told = time.monotonic(), -every_s

    def emit(self, record: Any) -> None:
        """Take one of Snakemake's messages; those of other events pass by."""
        event = _event(record)
        if event == "progress":
            self.done, self.total = record.done, record.total
        elif event == "job_error":
            self.failed[record.jobid] = f"{record.rule_name}: {', '.join(record.log) or 'no log'}"
        elif event == "job_info":
            self.running[record.jobid] = record.rule_name, record.created
        elif event == "job_finished":
            self.failed.pop(record.job_id, None)  # one that failed, and was run again
            rule, start = self.running.pop(record.job_id, ("other", record.created))
            jobs, seconds = self.spent.get(rule, (0, 0.0))
            self.spent[rule] = jobs + 1, seconds + record.created - start
        if event not in ("progress", "job_error"):
            return
        now = time.monotonic()
        if event == "progress" and self.done < self.total and now - self.told < self.every_s:
            return
        self.told = now
        lines = self.lines(now - self.start)
        try:
            print(*lines[: 1 + len(self.fields)], sep="\n", file=sys.stderr, flush=True)
            with replacing(self.folder / "progress.txt") as temporary:
                temporary.write_text("\n".join(lines) + "\n")
        except OSError:  # a full disk is told by the jobs
            self.handleError(record)

    def lines(self, elapsed_s: float) -> list[str]:
        """State of the run, of every field, the failures, and the time of all jobs of a rule, a line each."""
        left = (
            f", about {_duration(elapsed_s * (self.total - self.done) / self.done)} left"
            if 0 < self.done < self.total
            else ""
        )
        run = f"{self.done} of {self.total or '?'} jobs in {_duration(elapsed_s)}{left}, {len(self.failed)} failed"
        slowest = sorted(self.spent.items(), key=lambda item: (-item[1][1], item[0]))
        return [
            run,
            *map(self._state, self.fields),
            *(f"  failed: {job}" for job in self.failed.values()),
            *(f"  {rule}: {n} jobs, {_duration(seconds)} together" for rule, (n, seconds) in slowest),
        ]

    def _state(self, field: str) -> str:
        """Galaxies and clumps of a field that have photometry, of all that are known so far."""
        index, clumps = (self.folder / field / name for name in ("galaxies.json", "clumps.json"))
        if (self.folder / field / "catalogue.ecsv").exists() and not index.exists():
            return f"  {field}: clumps of a table"
        if not index.exists():
            return f"  {field}: galaxies not selected yet"
        if not clumps.exists():
            return f"  {field}: clumps of {len(json.loads(index.read_text())['galaxies'])} galaxies not counted yet"
        counts = json.loads(clumps.read_text())
        folder = self.folder / field / "galaxies"
        done = [galaxy for galaxy in counts if (folder / galaxy / "photometry.ecsv").exists()]
        measured = sum(counts[galaxy] for galaxy in done)
        return f"  {field}: {len(done)} of {len(counts)} galaxies, {measured} of {sum(counts.values())} clumps measured"


def _is_news(record: logging.LogRecord) -> bool:
    return _event(record) not in _TOLD_HERE and not record.getMessage().startswith(_CHATTER)


def _event(record: logging.LogRecord) -> str:
    return str(getattr(record, "event", None) or "")


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60.0)
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
