"""The machine and the code of a run, for the day when a number does not repeat."""

__all__ = ["Environment", "environment", "read_environment"]

import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from tenfold.engine.machine import processor
from tenfold.engine.products import route
from tenfold.files import from_json, read_json

PACKAGES = ("tenfold", "torch", "numpy", "scipy", "scikit-learn", "pillow", "safetensors", "matplotlib", "pydantic")


@dataclass(frozen=True)
class Environment:
    """The machine and the code of a run, as env.json holds them.

    argv: the command. data_dir: root of the named data sets, "" for the default. cores, threads: of the processor.
    products: route of matrix products. precision: format of the fastest convolutions, "" where it was not asked for.
    gpu: name or None. revision, changes: what git says of the code.
    """

    argv: tuple[str, ...] = ()
    data_dir: str = ""
    python: str = ""
    platform: str = ""
    processor: str = ""
    cores: int | None = None
    threads: int | None = None
    products: str = ""
    precision: str = ""
    gpu: str | None = None
    packages: dict[str, str] = field(default_factory=dict)
    revision: str = ""
    changes: str = ""


def environment(argv: Sequence[str], data_dir: str) -> Environment:
    """Return the environment of this process: packages, code, processor, threads, matrix product, arguments."""
    return Environment(
        argv=tuple(argv),
        data_dir=data_dir,
        python=sys.version.split()[0],
        platform=platform.platform(),
        processor=processor(),
        cores=os.cpu_count(),
        threads=torch.get_num_threads(),
        products=route(),
        precision=_precision(),
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        packages={name: _version(name) for name in PACKAGES},
        revision=_git("rev-parse", "HEAD"),
        changes=_git("diff", "HEAD"),
    )


def _precision() -> str:
    """Return the format that was chosen for convolutions, "" in a run that has none: it is not measured for them."""
    narrowing = sys.modules.get("tenfold.engine.narrowing")
    return narrowing.fastest_precision() if narrowing else ""


def read_environment(folder: Path) -> Environment:
    """Read a run's env.json; a FileError names the file where it is damaged."""
    path = folder / "env.json"
    return from_json(Environment, read_json(path, "threads", "products", "data_dir"), path)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _git(*words: str) -> str:
    """Return what git says of the checkout that this code runs from; nothing where it is installed without one."""
    here = Path(__file__).resolve().parents[3]
    if not (here / ".git").exists():
        return ""
    try:
        run = subprocess.run(["git", "-C", str(here), *words], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""
