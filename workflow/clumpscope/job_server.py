"""Jobs that start with their imports done: a process that forks them, and the shell by which Snakemake reaches it.

Importing astropy, numba or matplotlib takes a job of one galaxy as long as its work, and a field has thousands. The process
here has imported what earlier jobs of the same doorway did, and becomes the next one by forking. Snakemake hands every job
to a shell; ours (`start`) asks this process to run a doorway, and leaves anything else to the shell that was there.

- The first job of each doorway starts as from an empty interpreter; the modules that it imported and the machine code that it
  loaded are imported and loaded here when the next one comes.
- A job has its own files, environment and memory, and ends like a process of its own: its status and signals are its shell's.
- When Snakemake ends, however it does, so do this process and its jobs, and when this process does, so do the jobs: products are
  moved to their place when whole, and nobody writes any while the same command goes on.
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import types
from contextlib import suppress
from pathlib import Path

__all__ = ["serve", "start"]

_MACHINE_CODE = "clumpscope.machine_code"

_PR_SET_PDEATHSIG = 1  # of Linux's prctl

_CLIENT = Path(__file__).with_name("job_client.py")


def start(shell: str | None, folder: str | os.PathLike) -> tuple[str, subprocess.Popen]:
    """Start the process, and make the shell that asks it.

    Parameters
    ----------
    shell : str or None
        Path of the shell for everything that is no doorway; ``/bin/sh`` where there is none.
    folder : path-like
        Made, and removed when the process ends.

    Returns
    -------
    executable : str
        Path of the new shell. Its name is `shell`'s, by which Snakemake knows what options to set.
    process : subprocess.Popen
        Ends when its standard input is closed, at the latest with the process that called.
    """
    folder, shell = Path(folder), shell or "/bin/sh"
    folder.mkdir(parents=True, exist_ok=True)
    address = folder / "socket"
    executable = folder / Path(shell).name
    asked = [sys.executable, "-SIE", str(_CLIENT), str(address), sys.executable, shell]
    executable.write_text(f'#!/bin/sh\nexec {shlex.join(asked)} "$@"\n')
    executable.chmod(0o755)
    # As in a doorway that starts by itself, an installed library comes before the one beside the rules.
    library = str(_CLIENT.parent.parent)
    code = f"import sys; sys.path.append({library!r}); from clumpscope.job_server import serve; serve(*sys.argv[1:])"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    with socket.socket(socket.AF_UNIX) as listener:  # there before the first job asks
        listener.bind(str(address))
        listener.listen(128)
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", code, str(folder), str(listener.fileno())],
            stdin=subprocess.PIPE,
            env=environment,
            pass_fds=[listener.fileno()],
        )
    return str(executable.resolve()), process


def serve(folder: str, listener: str) -> None:
    """Run what is asked for at a socket, until standard input ends.

    Parameters
    ----------
    folder : str
        Removed at the end.
    listener : str
        File descriptor of the socket.
    """
    try:
        _Server(socket.socket(fileno=int(listener))).run()
    finally:
        shutil.rmtree(folder)


class _Server:
    def __init__(self, listener: socket.socket) -> None:
        # Who stops a run from the keyboard, or stops its whole group, reaches the jobs as well: their statuses are told still.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.ended, wakeup = socket.socketpair()
        for end in (self.ended, wakeup):
            end.setblocking(False)
        signal.set_wakeup_fd(wakeup.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.wakeup = wakeup
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        for file in (0, self.ended, self.listener):
            self.selector.register(file, selectors.EVENT_READ)
        self.jobs: dict[int, tuple[socket.socket, str, int]] = {}
        """Process -> its shell, its doorway, and a file in memory where it tells what it imported and loaded."""
        self.learnt: dict[str, list[bytes]] = {}
        """Doorway -> what its jobs imported and loaded, as they told."""
        self.numba_started = False

    def run(self) -> None:
        while True:
            for key, _ in self.selector.select():
                if key.fileobj == 0:
                    if not os.read(0, 1):
                        for process in self.jobs:
                            os.kill(process, signal.SIGKILL)
                        return
                elif key.fileobj is self.listener:
                    self._accept()
                elif key.fileobj is self.ended:
                    self.ended.recv(4096)
                    self._reap()
                else:
                    self._hear(key.fileobj)

    def _accept(self) -> None:
        shell, _ = self.listener.accept()
        shell.settimeout(10.0)  # a shell that was killed while it asked
        files: list[int] = []
        try:
            length, files, _, _ = socket.recv_fds(shell, 4, 3)
            request = b""
            while len(request) < int.from_bytes(length, "little"):
                part = shell.recv(1 << 20)
                if not part:
                    raise ConnectionError("the shell has gone")
                request += part
            self._start(shell, files, json.loads(request))
        except (OSError, ValueError) as error:
            print(f"a job could not be started: {error}", file=sys.stderr)
            shell.close()
        finally:
            for file in files:
                os.close(file)

    def _start(self, shell: socket.socket, files: list[int], request: dict) -> None:
        doorway = os.path.basename(request["script"]).split(".", 1)[-1]
        self._prepare(doorway)
        lesson = os.memfd_create("lesson")
        own, process = os.getpid(), os.fork()
        if process == 0:
            try:
                ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
                if os.getppid() != own:  # died before it was said
                    return
                self._become(files, lesson, doorway, request)
            finally:
                os._exit(1)  # where even starting failed
        self.jobs[process] = shell, doorway, lesson
        self.selector.register(shell, selectors.EVENT_READ)

    def _prepare(self, doorway: str) -> None:
        for lesson in self.learnt.pop(doorway, ()):
            names, code = lesson.split(b"\n", 1)
            for name in names.decode().split():
                try:
                    importlib.import_module(name)
                except Exception:  # the job's own business, if it is not there for it either
                    continue
            if "numba" in sys.modules and not self.numba_started:
                # numba's own start, which comes with the first call of anything compiled.
                sys.modules["numba"].njit(lambda: None)()
                self.numba_started = True
            if code:
                sys.modules[_MACHINE_CODE].load(code)
        gc.freeze()  # jobs do not write to pages that hold nothing of theirs

    def _become(self, files: list[int], lesson: int, doorway: str, request: dict) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        known, code = set(sys.modules), _machine_code()
        self.selector.close()
        for connection in (self.ended, self.wakeup, self.listener, *(job[0] for job in self.jobs.values())):
            connection.close()
        for number, file in enumerate(files):
            os.dup2(file, number)
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["folder"])
        tempfile.tempdir = None  # the job's own
        Path("/proc/self/comm").write_text(doorway)
        status = _run(request["script"])
        found = [
            name
            for name, module in sys.modules.items()
            if name not in known and getattr(module, "__spec__", None) is not None
        ]
        if found or _machine_code() != code:
            os.write(lesson, " ".join(found).encode() + b"\n" + _machine_code())
        os._exit(status)

    def _hear(self, shell: socket.socket) -> None:
        process = next((process for process, job in self.jobs.items() if job[0] is shell), None)
        if process is None:
            return  # it ended a moment ago
        try:
            signals = shell.recv(64)
        except OSError:
            signals = b""
        if not signals:  # it was killed, and with it the job
            self.selector.unregister(shell)
            signals = bytes([signal.SIGKILL])
        for number in signals:
            os.kill(process, number)

    def _reap(self) -> None:
        while self.jobs:
            process, status = os.waitpid(-1, os.WNOHANG)
            if not process:
                return
            shell, doorway, lesson = self.jobs.pop(process)
            if told := os.pread(lesson, 1 << 24, 0):
                self.learnt.setdefault(doorway, []).append(told)
            os.close(lesson)
            if shell.fileno() in self.selector.get_map():
                self.selector.unregister(shell)
            with suppress(OSError):  # where the shell has gone
                shell.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "little", signed=True))
            shell.close()


def _machine_code() -> bytes:
    """What machine code this process has loaded."""
    module = sys.modules.get(_MACHINE_CODE)
    return module.loaded() if module else b""


def _run(script: str) -> int:
    """Exit status of a script that runs as the main module, with what an interpreter does at its end."""
    main = types.ModuleType("__main__")
    main.__file__ = script
    sys.modules["__main__"] = main
    sys.argv = [script]
    sys.path.insert(0, os.path.dirname(script))
    status = 0
    try:
        exec(compile(Path(script).read_bytes(), script, "exec"), main.__dict__)
    except SystemExit as end:
        if isinstance(end.code, int):
            status = end.code
        elif end.code is not None:
            print(end.code, file=sys.stderr)
            status = 1
    except BaseException as error:
        error = error.with_traceback(
            error.__traceback__ and error.__traceback__.tb_next
        )  # without the line here
        sys.excepthook(type(error), error, error.__traceback__)
        status = 130 if isinstance(error, KeyboardInterrupt) else 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return status
