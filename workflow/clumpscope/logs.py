"""What a job says: to its log file, in sentences a user can act on."""

import logging
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Protocol

from .errors import InputError

__all__ = ["Job", "current_job", "in_doubt", "job_log"]


class Job(Protocol):
    """What a script is told of its job. Of the lists (parameters, wildcards, files) `items` gives those with a name."""

    rule: str
    params: Any
    wildcards: Any
    input: Any
    log: Any


_job: ContextVar[Job | None] = ContextVar("_job", default=None)


def current_job() -> Job | None:
    """The job that runs; None in a notebook."""
    return _job.get()


def in_doubt(text: str) -> None:
    """Tell on the terminal, and in the job's log, what can be used but is unlikely to be right."""
    print(f"In doubt: {text}", file=sys.stderr, flush=True)
    logging.getLogger("clumpscope").warning("%s", text)


@contextmanager
def job_log(job: Job) -> Iterator[logging.Logger]:
    """Send log messages and warnings to a job's log file while it runs, let its products know whose they are, and tell what it took.

    An `InputError` ends the job with its message alone; any other error keeps its traceback.

    Parameters
    ----------
    job : Job
        The object ``snakemake`` of a script; its log file is replaced. Where that lies below ``results/logs`` or
        ``results/{field}/logs``, what a job took that succeeded goes to the same place below ``benchmarks``, as Snakemake's
        benchmarks do: wall time and processor time [s] since the process began, and its largest memory [MB].

    Yields
    ------
    logging.Logger
        For the job's own messages.
    """
    path = Path(job.log[0])
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, mode="w")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # tells of every table of every font
    log = logging.getLogger("clumpscope")
    start, before = time.perf_counter(), _job.set(job)
    try:
        yield log
    except InputError as error:
        log.error("%s", error)
        sys.exit(str(error))  # on the console too, where Snakemake's quiet mode shows no log
    except Exception:
        log.exception("the job failed")
        raise
    else:
        _tell_usage(path, time.perf_counter() - start)
    finally:
        _job.reset(before)
        log.info("%.1f s", time.perf_counter() - start)
        root.removeHandler(handler)
        handler.close()


def _tell_usage(log: Path, wall: float) -> None:
    # Snakemake watches the shell it starts a job with: not what is forked elsewhere, nor what a job took between two looks.
    depth = next(
        (depth for depth in (2, 1) if log.parts[0] == "results" and "logs" in log.parts[depth : depth + 1]),
        None,
    )
    if depth is None:
        return
    path = Path(*log.parts[:depth], "benchmarks", *log.parts[depth + 1 :]).with_suffix(".tsv")
    own, children = (resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    memory = own.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)  # macOS counts bytes
    if sys.platform == "linux":  # where the figures above count what the process was before its own beginning
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        memory = int(status["VmHWM"].split()[0]) / 1024
        began = int(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19]) / os.sysconf(
            "SC_CLK_TCK"
        )
        wall = time.clock_gettime(time.CLOCK_BOOTTIME) - began
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\tmax_rss\tcpu_time\n{wall:.2f}\t{memory:.2f}\t{seconds:.2f}\n")
