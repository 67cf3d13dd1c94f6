"""Work in threads: as many as the process may use, results in order."""

from threading import Event

import pytest

from tenfold.data import inorder
from tenfold.data.inorder import in_order


def test_threads_are_those_that_the_process_may_use(monkeypatch):
    monkeypatch.setattr(inorder.os, "sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
    assert inorder._cores() == 3


def test_results_come_in_order_and_the_first_error_ends_the_work(monkeypatch):
    monkeypatch.setattr(inorder, "_cores", lambda: 4)
    second = Event()

    def late(k):  # the first ends behind the second
        second.set() if k else second.wait()
        return k

    assert list(in_order(late, range(30))) == list(range(30))
    done = []

    def fails(k):
        done.append(k)
        return 1 // (5 - k)

    with pytest.raises(ZeroDivisionError):
        list(in_order(fails, range(10_000)))
    assert len(done) < 1000
