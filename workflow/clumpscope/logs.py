"""What a job says: to its log file, in sentences a user can act on."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import InputError

__all__ = ["in_doubt", "job_log"]


def in_doubt(text: str) -> None:
    """Tell on the terminal, and in the job's log, what can be used but is unlikely to be right."""
    print(f"In doubt: {text}", file=sys.stderr, flush=True)
    logging.getLogger("clumpscope").warning("%s", text)


@contextmanager
def job_log(path: str) -> Iterator[logging.Logger]:
    """Send log messages and warnings to a file while a job runs.

    An `InputError` ends the job with its message alone; any other error keeps its traceback.

    Parameters
    ----------
    path : str
        The log file; replaced.

    Yields
    ------
    logging.Logger
        For the job's own messages.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, mode="w")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    logging.captureWarnings(True)
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # tells of every table of every font
    log = logging.getLogger("clumpscope")
    start = time.perf_counter()
    try:
        yield log
    except InputError as error:
        log.error("%s", error)
        sys.exit(str(error))  # on the console too, where Snakemake's quiet mode shows no log
    except Exception:
        log.exception("the job failed")
        raise
    finally:
        log.info("%.1f s", time.perf_counter() - start)
        root.removeHandler(handler)
        handler.close()
