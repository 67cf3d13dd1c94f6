"""Build hook: uPlot, the report's chart script, fetched from the npm registry, checked and unpacked into the package.

It is other people's code and is not kept in the repository; a wheel carries it. Without npm or a network the build says
so in one line and goes on: the report then shows its learning curves as a still figure.
"""

import base64
import hashlib
import io
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "uplot@1.6.32"
INTEGRITY = "KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw=="  # SHA-512
FILES = {"dist/uPlot.iife.min.js": "uplot.js", "dist/uPlot.min.css": "uplot.css", "LICENSE": "uplot.license"}
VENDOR = "src/tenfold/report/assets/vendor"
SECONDS = 60


class Bundle(BuildHookInterface):
    """Runs before a wheel is built, an editable one too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Put the script where the package looks for it, if it is not there yet."""
        folder = Path(self.root) / VENDOR
        if all((folder / name).exists() for name in FILES.values()):
            return
        try:
            _unpack(_packed(), folder)
        except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
            told = str(error).splitlines()[0]
            self.app.display_warning(f"{PACKAGE} is not bundled ({told}): reports show still learning curves")


def _packed() -> bytes:
    """The package's archive, as npm brings it; a ValueError where it is not the one that was pinned."""
    with tempfile.TemporaryDirectory() as place:
        command = ["npm", "pack", PACKAGE, "--silent", "--pack-destination", place]
        subprocess.run(command, check=True, capture_output=True, timeout=SECONDS, cwd=place)
        (archive,) = Path(place).glob("*.tgz")
        content = archive.read_bytes()
    found = base64.b64encode(hashlib.sha512(content).digest()).decode()
    if found != INTEGRITY:
        raise ValueError(f"its SHA-512 is {found[:12]}…, expected {INTEGRITY[:12]}…")
    return content


def _unpack(archive: bytes, folder: Path) -> None:
    """Three files of the archive, by their exact names."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as members:
        contents = {name: members.extractfile(f"package/{inside}") for inside, name in FILES.items()}
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            if content is None:
                raise ValueError(f"{name} is not a file in it")
            (folder / name).write_bytes(content.read())
