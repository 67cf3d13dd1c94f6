"""What must take a moment: `--help` of every command, and the refusal of files and texts that were made to be slow.

CPU seconds, the median of the rounds; for `--help` those of a process of its own, from its first instruction on.
"""

import argparse
import gzip
import io
import json
import os
import platform
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

import tenfold
from tenfold import files
from tenfold.cli import COMMANDS
from tenfold.data.readers.cifar import cifar
from tenfold.data.readers.idx import idx
from tenfold.data.readers.images import images
from tenfold.data.readers.npz import npz
from tenfold.errors import TenfoldError
from tenfold.report.case import read_case
from tenfold.report.illustrations import illustrate
from tenfold.reproduce.table import read_table, shipped
from tenfold.teach.margin.points import parse_given, parse_places

HELP = """
import sys, time
from tenfold import cli
cli._run({words!r}, False)
print(time.process_time(), file=sys.stderr)
"""


class Moment(NamedTuple):
    """Something that may take at most so many CPU seconds."""

    name: str
    most: float
    act: Callable[[], float]


def timed(act: Callable[[], object]) -> float:
    """CPU seconds of an action, which may end by refusing."""
    start = time.process_time()
    with suppress(TenfoldError):
        act()
    return time.process_time() - start


def helped(words: list[str]) -> float:
    """CPU seconds of a process that prints help."""
    command = [sys.executable, "-c", HELP.format(words=[*words, "--help"])]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stderr)


def forged(path: Path) -> Path:
    """A tensor file whose header claims more values than there may be."""
    header = b'{"__metadata__":{"tenfold":"x"},"a":[' + b"{}," * 10**6 + b"0]}"
    path.write_bytes(len(header).to_bytes(8, "little") + header)
    return path


def bomb(path: Path) -> Path:
    """A PNG of 65,535² pixels in a megabyte."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 65535, 65535, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(2**20))) + chunk(b"IEND", b""))
    return path


def crowded(path: Path) -> Path:
    """A zip archive whose directory has 300,000 members of no bytes."""
    member = struct.pack("<4s4B4HL2L5H2L", b"PK\1\2", *[0] * 11, 1, *[0] * 6) + b"x"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, 300_000 * len(member), 0, 0)
    path.write_bytes(member * 300_000 + end)
    return path


def padded(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content, 1))
    return path


def photograph() -> bytes:
    """A JPEG of 12 megapixels."""
    stream = io.BytesIO()
    Image.effect_noise((4000, 3000), 50).convert("RGB").save(stream, "JPEG", quality=50)
    return stream.getvalue()


def openings(folder: Path) -> Callable[[], object]:
    """The drawing of a figure that opens a comment 100,000 times and closes none."""
    tenfold.train("digits", epochs=1, out=folder)
    case = read_case(folder)._replace(figures={"templates": '<svg viewBox="0 0 9 9">' + "<!--" * 100_000})
    return partial(illustrate, "templates", case, "")


def moments(folder: Path) -> list[Moment]:
    """All of them; folder: where their files go."""
    told = [Moment(" ".join(["tenfold", *words, "--help"]), 0.2, partial(helped, words))
            for words in ([], *([name] for name in COMMANDS))]  # fmt: skip
    texts = (" " * 300_000, "w=" + ", " * 150_000, "1" + " " * 300_000 + "x", "b" * 300_000)
    head = bytes([0, 0, 8, 4]) + struct.pack(">4I", *[2**32 - 1] * 4)
    refused: list[tuple[str, float, Callable[[], object]]] = [
        ("a forged header is refused", 0.1, partial(files.load, forged(folder / "f"))),
        ("an image that claims 65,535² pixels is refused", 0.1, partial(images, bomb(folder / "bomb.png"))),
        ("a small archive of CIFAR-10 is refused", 0.1, partial(cifar, padded(folder / "c.tar.gz", bytes(2**25)))),
        ("an IDX file of 2¹²⁸ claimed bytes is refused", 1, partial(idx, padded(folder / "b.gz", head + bytes(2**26)))),
        ("a directory of 300,000 members is refused", 1, partial(npz, crowded(folder / "many.npz"))),
        ("a photograph of 12 megapixels is decoded small", 0.5, partial(images(photograph()).pixels, "RGB", 32)),
        ("a figure made of openings is drawn", 2, openings(folder / "run")),
        *[(f"a long text is refused ({text[:3]!r} …)", 0.5, partial(read, text, 2))
          for text in texts for read in (parse_given, parse_places)],
        *[(f"the table {name} is read", 1, partial(read_table, name)) for name in sorted(shipped())],
    ]  # fmt: skip
    archive = Path(os.environ.get("TENFOLD_DATA", ""), "cifar10", "cifar-10-binary.tar.gz")
    if archive.is_file():
        refused.append(("the archive of CIFAR-10 is read", 3, partial(cifar, archive)))
    return told + [Moment(name, most, partial(timed, act)) for name, most, act in refused]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, default=Path(sys.argv[0]).with_suffix(".json"))
    options = parser.parse_args()
    print(f"Moments; {options.rounds} rounds, {platform.machine()}, {os.cpu_count()} cores, NumPy {np.__version__}")
    rows = []
    with tempfile.TemporaryDirectory() as place:
        for moment in moments(Path(place)):
            seconds = statistics.median(moment.act() for _ in range(options.rounds))
            rows.append({"name": moment.name, "most": moment.most, "seconds": seconds, "met": seconds <= moment.most})
            verdict = "met" if rows[-1]["met"] else "MISSED"
            print(f"  {moment.name}: {seconds:.3f} s; at most {moment.most} s: {verdict}", flush=True)
    options.json.write_text(json.dumps({"title": "Moments", "moments": rows}, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
