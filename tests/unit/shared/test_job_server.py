"""Jobs that are forked behave as those with an interpreter of their own, and end with whoever asked for them."""

import os
import signal
import subprocess
import sys
import time

import pytest
from clumpscope.job_server import start

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="jobs are forked on Linux alone")


@pytest.fixture
def shell(tmp_path):
    executable, process = start("/bin/bash", tmp_path / "starter")
    yield executable
    process.stdin.close()
    process.wait(20)


def popen(executable, script, **options):
    command = f"set -euo pipefail;  {sys.executable} {script}"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, shell=True, executable=executable, **pipes, **options)


def run(executable, script, **options):
    job = popen(executable, script, **options)
    out, err = job.communicate(timeout=60)
    return job.returncode, out, err


def doorway(folder, text, number=0):
    path = folder / f"tmp{number}.doorway.py"
    path.write_text(text)
    return path


def wait_for(condition):
    for _ in range(200):
        if condition():
            return True
        time.sleep(0.05)
    return False


def is_running(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("text", "status", "out", "err"),
    [
        ("print(__name__, __file__ == __import__('sys').argv[0])", 0, "__main__ True\n", ""),
        ("import sys; sys.exit(3)", 3, "", ""),
        ("import sys; sys.exit('no stars')", 1, "", "no stars\n"),
        ("import atexit; atexit.register(print, 'last'); print('first')", 0, "first\nlast\n", ""),
        ("import os; os.kill(os.getpid(), 9)", -9, "", ""),
        ("import threading, time; threading.Thread(target=lambda: (time.sleep(0.2), print('done'))).start()", 0, "done\n", ""),
    ],
)  # fmt: skip
def test_a_job_ends_as_a_process_of_its_own_would(shell, tmp_path, text, status, out, err):
    assert run(shell, doorway(tmp_path, text)) == (status, out, err)


def test_an_error_is_told_with_the_lines_of_the_script_alone(shell, tmp_path):
    script = doorway(tmp_path, "def divide():\n    return 1 / 0\n\ndivide()\n")
    own = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert run(shell, script) == (1, "", own.stderr)


def test_a_job_has_the_callers_folder_and_environment(shell, tmp_path):
    script = doorway(tmp_path, "import os; print(os.getcwd(), os.environ.get('MU'), os.environ.get('HOME'))")
    (tmp_path / "there").mkdir()
    status = run(shell, script, cwd=tmp_path / "there", env={"MU": "12.5", "PATH": os.environ["PATH"]})
    assert status == (0, f"{tmp_path}/there 12.5 None\n", "")


def test_the_second_job_of_a_doorway_finds_the_imports_of_the_first(shell, tmp_path):
    text = "import sys; print('wave' in sys.modules); import wave; wave.mark = 1"
    other = tmp_path / "tmp.other.py"
    other.write_text(text)
    assert [run(shell, doorway(tmp_path, text, number))[1] for number in range(3)] == [
        "False\n",
        "True\n",
        "True\n",
    ]
    # What a job does to a module is its own.
    assert run(shell, doorway(tmp_path, "import wave; print(hasattr(wave, 'mark'))"))[1] == "False\n"


def test_machine_code_is_read_once(shell, tmp_path):
    text = (
        "from clumpscope.images.compiled import middle_ranks as f; import numpy as np\n"
        "before = len(f.signatures); f(np.arange(12).reshape(3, 4), 3); print(before, len(f.signatures))"
    )
    results = [run(shell, doorway(tmp_path, text, number)) for number in range(2)]
    assert [result[1] for result in results] == ["0 1\n", "1 1\n"], results


def test_jobs_run_at_the_same_time(shell, tmp_path):
    script = doorway(tmp_path, "import time; time.sleep(1.0)")
    began = time.monotonic()
    jobs = [popen(shell, script) for _ in range(8)]
    assert [job.wait(30) for job in jobs] == [0] * 8
    assert time.monotonic() - began < 5.0


def test_whatever_is_no_doorway_goes_to_the_shell(shell):
    for command, expected in (("echo a | tr a b", (0, "b\n")), ("exit 4", (4, ""))):
        done = subprocess.run(command, shell=True, executable=shell, stdout=subprocess.PIPE, text=True)
        assert (done.returncode, done.stdout) == expected


def sleeping(shell, tmp_path):
    """A job that sleeps, and its process."""
    mark = tmp_path / "process"
    job = popen(
        shell,
        doorway(
            tmp_path, f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(300)"
        ),
    )
    assert wait_for(lambda: mark.exists() and mark.read_text())
    return job, int(mark.read_text())


def test_who_is_asked_to_end_ends_the_job(shell, tmp_path):
    job, process = sleeping(shell, tmp_path)
    job.terminate()
    assert job.wait(20) == -signal.SIGTERM
    assert wait_for(lambda: not is_running(process))


def test_a_job_does_not_outlive_its_shell(shell, tmp_path):
    job, process = sleeping(shell, tmp_path)
    job.kill()
    job.wait(20)
    assert wait_for(lambda: not is_running(process))
    assert run(shell, doorway(tmp_path, "print('next')", 1))[1] == "next\n"


def test_a_job_does_not_outlive_the_process_that_forked_it(tmp_path):
    shell, server = start("/bin/bash", tmp_path / "starter")
    job, process = sleeping(shell, tmp_path)
    server.kill()
    server.wait(20)
    assert wait_for(lambda: not is_running(process))
    assert job.wait(20) == 1


def test_nothing_outlives_who_started_it(tmp_path):
    text = (
        "import subprocess, sys, time\nfrom clumpscope.job_server import start\n"
        f"shell, process = start('/bin/bash', {str(tmp_path / 'starter')!r})\nprint(shell, process.pid, flush=True)\ntime.sleep(300)"
    )
    parent = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    shell, server = parent.stdout.readline().split()
    job, process = sleeping(shell, tmp_path)
    parent.kill()
    parent.wait(20)
    assert job.wait(20) != 0
    assert wait_for(
        lambda: not (is_running(process) or is_running(int(server)) or (tmp_path / "starter").exists())
    )


def test_without_the_process_a_job_starts_by_itself(tmp_path):
    shell, process = start("/bin/bash", tmp_path / "starter")
    script = doorway(tmp_path, "print('here')")
    assert run(shell, script)[1] == "here\n"
    process.kill()
    process.wait(20)
    assert run(shell, script)[:2] == (0, "here\n")
