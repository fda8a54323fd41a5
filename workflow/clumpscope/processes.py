"""Independent pieces of one job in processes of their own."""

import multiprocessing
import multiprocessing.connection
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TypeVar

__all__ = ["in_processes"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_processes(work: Callable[[Item], Result], items: Sequence[Item], n: int) -> list[Result]:
    """Results of `work` of every item, in their order, made by up to `n` processes at once.

    Parameters
    ----------
    work : callable
        Of one item; what it changes in memory is lost. The first error ends all.
    items : sequence
    n : int
        With one everything is done here. Where processes cannot be forked too.

    Notes
    -----
    A process has one item and ends: should this one be killed, none waits for more.
    """
    if n <= 1 or len(items) <= 1 or "fork" not in multiprocessing.get_all_start_methods():
        return [work(item) for item in items]
    context = multiprocessing.get_context("fork")
    results: dict[int, Result] = {}
    waiting = list(enumerate(items))
    running: dict[Connection, tuple[int, BaseProcess]] = {}

    def begin() -> None:
        place, item = waiting.pop(0)
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_send, args=(work, item, sender))
        process.start()
        sender.close()
        running[receiver] = place, process

    try:
        while waiting or running:
            while waiting and len(running) < n:
                begin()
            for receiver in multiprocessing.connection.wait(list(running)):
                assert isinstance(receiver, Connection)  # nothing else waits here
                place, process = running[receiver]
                try:
                    error, results[place] = receiver.recv()
                except EOFError:
                    process.join()
                    error = ChildProcessError(f"a process ended with status {process.exitcode}")
                if error is not None:
                    raise error
                process.join()
                del running[receiver]
    finally:
        for _, process in running.values():
            process.terminate()
            process.join()
    return [results[place] for place in range(len(items))]


def _send(work: Callable[[Item], Result], item: Item, sender: Connection) -> None:
    try:
        sender.send((None, work(item)))
    except Exception as error:
        sender.send((error, None))
