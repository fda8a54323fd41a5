import io
import json
import logging

import pytest
from clumpscope.progress import Progress, follow


@pytest.fixture
def run(tmp_path):
    """A logger that a progress listens to, and the text it writes."""
    logger = logging.Logger("run", logging.INFO)
    logger.addHandler(Progress(["near", "far"], tmp_path, every_s=0.0))

    def say(event, **values):
        logger.info(None, extra={"event": event, **values})
        path = tmp_path / "progress.txt"
        return path.read_text().splitlines() if path.exists() else []

    return say


def test_what_is_done_is_told(run, tmp_path, capsys):
    (tmp_path / "near" / "galaxies" / "b").mkdir(parents=True)
    (tmp_path / "near" / "galaxies.json").write_text(json.dumps({"galaxies": ["a", "b", "c"]}))
    assert "3 galaxies" in run("progress", done=1, total=8)[1]
    (tmp_path / "near" / "clumps.json").write_text(json.dumps({"a": 2, "b": 3}))
    (tmp_path / "near" / "galaxies" / "b" / "photometry.ecsv").touch()
    lines = run("progress", done=2, total=8)
    assert lines[0].startswith("2 of 8 jobs in 0 s, about 0 s left, 0 failed")
    assert lines[1].strip() == "near: 1 of 2 galaxies, 3 of 5 clumps measured"
    assert "far" in lines[2] and len(lines) == 3
    assert "2 of 8 jobs" in capsys.readouterr().err


def test_failures_are_told_until_they_are_mended(run):
    lines = run("job_error", jobid=7, rule_name="fit", log=["results/near/logs/fit.log"])
    assert "1 failed" in lines[0] and lines[-1].strip() == "failed: fit: results/near/logs/fit.log"
    run("job_finished", job_id=7)
    assert "0 failed" in run("progress", done=1, total=2)[0]


def test_time_of_every_rule_is_in_the_file(tmp_path):
    progress = Progress([], tmp_path)

    def say(event, at, **values):
        record = logging.LogRecord("run", logging.INFO, "", 0, None, (), None)
        record.__dict__.update(event=event, created=at, **values)
        progress.emit(record)

    for jobid, rule, start in ((1, "cutout", 0.0), (2, "fit", 5.0), (3, "fit", 10.0)):
        say("job_info", start, jobid=jobid, rule_name=rule)
    for jobid, end in ((1, 2.0), (3, 40.0), (2, 105.0)):
        say("job_finished", end, job_id=jobid)
    progress.done = progress.total = 3
    assert progress.lines(105.0)[1:] == ["  fit: 2 jobs, 2 min together", "  cutout: 1 jobs, 2 s together"]


def test_time_left_goes_with_the_jobs_left(tmp_path):
    progress = Progress([], tmp_path)
    progress.done, progress.total = 30, 120
    assert progress.lines(600.0) == ["30 of 120 jobs in 10 min, about 30 min left, 0 failed"]
    assert "2 h 30 min left" in progress.lines(3000.0)[0]


def test_reports_do_not_follow_each_other_closely(tmp_path, capsys):
    logger = logging.Logger("run", logging.INFO)
    logger.addHandler(Progress([], tmp_path, every_s=1e3))
    for done in range(1, 6):
        logger.info(None, extra={"event": "progress", "done": done, "total": 5})
    assert [line[:6] for line in capsys.readouterr().err.splitlines()] == ["1 of 5", "5 of 5"]


def test_every_job_stays_in_the_log_file(tmp_path, capsys):
    logger, terminal = logging.Logger("run", logging.INFO), io.StringIO()
    handlers = logging.StreamHandler(terminal), logging.FileHandler(tmp_path / "run.log")
    for handler in handlers:
        logger.addHandler(handler)
    follow(logger, [])
    logger.info("Finished jobid: 3", extra={"event": "job_finished", "job_id": 3})
    logger.info("Select jobs to execute...")
    logger.info("Job stats")
    for handler in handlers:
        handler.close()
    assert terminal.getvalue() == "Job stats\n"
    assert "Finished jobid: 3" in (tmp_path / "run.log").read_text()
