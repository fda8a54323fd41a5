"""The shell that Snakemake's jobs see (`clumpscope.job_server.start`): it asks for a doorway, or becomes the shell that was there.

Run as ``python -SIE job_client.py SOCKET PYTHON SHELL -c COMMAND``; with the standard library's quickest parts alone.
"""

import os
import re
import signal
import socket
import sys
from json import dumps

PASSED_ON = (signal.SIGTERM, signal.SIGHUP)


def main() -> None:
    """Run the command line."""
    address, python, shell, *arguments = sys.argv[1:]
    connection = None
    doorway = re.fullmatch(
        rf"(?:set -euo pipefail; *)?{re.escape(python)} (\S+|'[^']+')", arguments[-1].strip()
    )
    if doorway and arguments[:-1] == ["-c"]:
        connection = ask(address, doorway[1].strip("'"))
    if connection is None:
        os.execv(shell, [shell, *arguments])
    try:
        status = connection.recv(4, socket.MSG_WAITALL)
    except OSError:
        status = b""
    if len(status) < 4:
        sys.exit("The process that starts jobs has died, and this job with it: run the same command again.")
    code = int.from_bytes(status, "little", signed=True)
    if code < 0:  # by a signal
        if -code in PASSED_ON:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)


def ask(address: str, script: str) -> socket.socket | None:
    """Connection to the job that runs a script, or None where nobody starts it."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(address)
        request = dumps({"script": script, "folder": os.getcwd(), "environment": dict(os.environ)}).encode()
        socket.send_fds(connection, [len(request).to_bytes(4, "little")], [0, 1, 2])
        connection.sendall(request)
    except OSError:
        return None
    # From the keyboard the job hears by itself.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in PASSED_ON:
        signal.signal(number, lambda received, _: connection.sendall(bytes([received])))
    return connection


if __name__ == "__main__":
    main()
