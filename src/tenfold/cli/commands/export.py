"""`tenfold export RUN|MODEL --format onnx|numpy|torch`: write a model for programs that have no Tenfold."""

__all__ = ["command"]

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tenfold.cli.display import display
from tenfold.cli.layout import echo
from tenfold.cli.options import JSON
from tenfold.rooms import names
from tenfold.text import count, inert, size_of

if TYPE_CHECKING:
    from tenfold.runs.export import ExportCheck, Exported
    from tenfold.trained.agreement import Agreement


@click.command("export")
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--format", "word", required=True, metavar="FORMAT", help=f"{', '.join(names('exports'))}")
@click.option("--out", default="", help="file or folder to write  [beside the model]")
@click.option("--check", default="", metavar="FOLDER", help="compare the export to the run on a folder of images")
@click.option("--force", is_flag=True, help="replace an export that is there")
@JSON
def command(model: Path, word: str, out: str, check: str, force: bool, as_json: bool) -> int:
    """Write MODEL, a run folder or a model file, in a format that needs no Tenfold.

    onnx is one file for ONNX runtimes; it takes pixels from 0 to 255 in the model's size, and holds everything behind
    them: standardization, features, layers, calibration, class names. numpy is a folder with one predict.py, which
    needs NumPy and Pillow alone and opens image files as Tenfold does. torch is a folder with a plain nn.Module.

    What is written is first run on 64 made images: it must give the same classes, and probabilities within 1e-5. With
    --check, the export and the run answer about every image of FOLDER, and an export that is there already is compared
    as it is: its code is run. The exit code is 1 where they differ in a class.
    """
    from tenfold.files import as_json as plain
    from tenfold.runs.export import export_model

    with display(as_json) as watch:
        result = export_model(model, word, out, force, check, watch)
    _show(result, plain(result) if as_json else None)
    return int(bool(result.check and (result.check.agreement.others or result.check.refused)))


def _show(result: "Exported", content: Any) -> None:
    if content is not None:
        import json

        click.echo(json.dumps(content, ensure_ascii=True))
        return
    echo(f"{inert(result.export)} ({size_of(result.bytes)})")
    if result.made:
        echo(f"{count(result.made.images, 'made image')}: {_said(result.made)}")
    if result.narrow:
        echo(f"note: the run multiplies in bfloat16, the export in float32; between these two: {_said(result.narrow)}")
    if result.check:
        _show_check(result.check)


def _show_check(check: "ExportCheck") -> None:
    echo(f"{inert(check.folder)}: {count(check.agreement.images, 'image')}: {_said(check.agreement)}")
    for file in check.differing:
        echo(f"another class: {inert(file)}")
    if check.refused:
        echo(f"the export cannot read {count(check.refused, 'image')} that the run reads")
    if check.unreadable:
        echo(f"{count(check.unreadable, 'image')} could not be read")


def _said(agreement: "Agreement") -> str:
    others = f"{agreement.others:,} with another class" if agreement.others else "the same classes"
    return f"{others}, probabilities within {agreement.largest:.1e}"
