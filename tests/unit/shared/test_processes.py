"""Pieces of a job in processes of their own: results in order, errors told, nothing left behind."""

import multiprocessing
import os
import time

import pytest
from clumpscope.processes import in_processes


@pytest.mark.parametrize("n", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(n):
    def work(item):
        time.sleep(0.05 * (3 - item))
        return item**2, os.getpid()

    results = in_processes(work, [0, 1, 2, 3], n)
    assert [value for value, _ in results] == [0, 1, 4, 9]
    processes = {process for _, process in results}
    assert processes == {os.getpid()} if n == 1 else os.getpid() not in processes


def test_an_error_is_raised_here_and_ends_the_others():
    def work(item):
        if item == 1:
            raise ValueError("not this one")
        time.sleep(60.0)

    began = time.monotonic()
    with pytest.raises(ValueError, match="not this one"):
        in_processes(work, [0, 1, 2], 2)
    assert time.monotonic() - began < 30.0 and not multiprocessing.active_children()


def test_a_process_that_dies_is_told():
    with pytest.raises(ChildProcessError, match="status 7"):
        in_processes(lambda item: os._exit(7), [0, 1], 2)
