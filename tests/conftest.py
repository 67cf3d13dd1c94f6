"""What every test process shares: one thread, a home of its own, real data where there is some, seeded numbers."""

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported; child processes inherit it

import shutil
import tempfile
import zlib
from pathlib import Path

import hypothesis
import numpy as np
import pytest

from tests.browsing import launched

HOMES = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")

hypothesis.settings.register_profile("tenfold", deadline=None, derandomize=True)
hypothesis.settings.load_profile("tenfold")


def pytest_configure(config):
    """A home for this session, shared by its workers and children, so that nothing of the user's is read or written."""
    if not hasattr(config, "workerinput"):
        config.made_home = Path(tempfile.mkdtemp(prefix="tenfold-tests-"))
        for name in HOMES:
            folder = config.made_home / name.removeprefix("XDG_").lower()
            folder.mkdir()
            os.environ[name] = str(folder)


def pytest_unconfigure(config):
    shutil.rmtree(getattr(config, "made_home", ""), ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def data_root():
    """`data_root("mnist")`: folder of the real data sets, where it holds that one; else the test is skipped by name."""

    def root(name):
        folder = Path(os.environ.get("TENFOLD_DATA", ""))
        if not os.environ.get("TENFOLD_DATA") or not (folder / name.replace("_", "-")).is_dir():
            pytest.skip(f"needs {name} under $TENFOLD_DATA")
        return folder

    return root


@pytest.fixture
def rng(request):
    """A numpy generator that depends on the names of the test and its file, wherever that lies."""
    return np.random.default_rng(zlib.crc32(request.node.nodeid.rpartition("/")[2].encode()))


@pytest.fixture
def draw(rng):
    """`draw(2, 3)`: standard normal numbers, float64, as a tensor."""
    import torch

    return lambda *shape: torch.from_numpy(rng.standard_normal(shape))


@pytest.fixture(scope="module")
def unpublished():
    """Runs of this module leave no figures, cards and reports, which take longer than what its tests are about."""
    from tenfold import sessions

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sessions, "_publish", lambda *arguments: None)
        yield


@pytest.fixture(scope="module")
def browser():
    """Debian's chromium, or whichever there is, without a window."""
    with launched() as found:
        yield found
