"""Streams of random numbers: functions of seed and path alone."""

import math
import os
import subprocess
import sys

from tenfold.seeds import generator

STREAM = """
from tenfold.seeds import generator
print(generator(7, "order", 3).bytes(16).hex(), generator(7, "order", 3).random())
"""


def test_a_stream_is_the_same_in_fresh_processes():
    here = f"{generator(7, 'order', 3).bytes(16).hex()} {generator(7, 'order', 3).random()}"
    for seed in ("1", "2"):
        env = os.environ | {"PYTHONHASHSEED": seed}
        fresh = subprocess.run([sys.executable, "-c", STREAM], env=env, capture_output=True, text=True, check=True)
        assert fresh.stdout.strip() == here


def test_streams_of_other_seeds_or_paths_are_others():
    paths = [(0,), (1,), (0, "a"), (0, "b"), (0, "a", 1), (0, "a", 11), (0, "a1", 1), (0, "a", "1"), (0, "a, 1")]
    drawn = {generator(*path).bytes(16) for path in paths}
    assert len(drawn) == len(paths)


def test_a_stream_is_uniform():
    drawn = generator(0, "uniform").random(100_000)
    assert abs(drawn.mean() - 0.5) < 5 / math.sqrt(12 * len(drawn))
    assert math.isclose(drawn.var(), 1 / 12, rel_tol=0.02)
