"""The machine and the code of a run, as it will be asked for when a number does not repeat."""

__all__ = ["environment"]

import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from tenfold.engine.machine import processor
from tenfold.engine.products import route

PACKAGES = ("tenfold", "torch", "numpy", "scipy", "scikit-learn", "pillow", "safetensors", "matplotlib", "pydantic")


def environment(argv: Sequence[str], data_dir: str) -> dict[str, Any]:
    """Packages, code revision and its changes, processor, threads, matrix product, arguments."""
    return {
        "argv": list(argv),
        "data_dir": data_dir,
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "products": route(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "packages": {name: _version(name) for name in PACKAGES},
        "revision": _git("rev-parse", "HEAD"),
        "changes": _git("diff", "HEAD"),
    }


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _git(*words: str) -> str:
    """What git says of the checkout that this code runs from; nothing where it is installed without one."""
    here = Path(__file__).resolve().parents[3]
    if not (here / ".git").exists():
        return ""
    try:
        run = subprocess.run(["git", "-C", str(here), *words], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return ""
    return run.stdout.strip() if run.returncode == 0 else ""
