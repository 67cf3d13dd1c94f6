"""A run folder as one self-contained page; several of them side by side on one."""

__all__ = ["WrittenPage", "loaded", "report_runs", "write_made", "write_report"]

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

from tenfold.data.load import fingerprint, load
from tenfold.data.types import Dataset, precedent_of
from tenfold.errors import RunError, TenfoldError, UsageError
from tenfold.files import as_json, write_text
from tenfold.report.case import Case, case_of, read_case
from tenfold.report.compare import compare_runs, fitting_together
from tenfold.report.explained import explanations
from tenfold.report.pages import run_page
from tenfold.report.pictures import LEFT_OUT, NOT_SHOWN, Album, album
from tenfold.report.results import Results
from tenfold.report.svg import Drawn, draw_all
from tenfold.report.versus import versus_page
from tenfold.runs.environment import Environment
from tenfold.runs.outcome import Made
from tenfold.runs.prepare import Prepared
from tenfold.trained.model import load_model

NAME = "report.html"
MOST = 12


def write_report(folder: Path, dataset: Dataset | None = None, with_images: bool = True) -> Path:
    """Write report.html into a run folder that has a result, and return its path.

    dataset: what the run was trained on; loaded again (never downloaded) where it is not handed over. Where it is not
    at hand, or is another one by now, the page has no images and says why.
    """
    return _write(folder / NAME, run_page(*_opened(folder, dataset, with_images)))


def write_made(
    folder: Path, made: Made, prepared: Prepared, machine: Environment, results: Results, drawn: Drawn
) -> Path:
    """Write report.html into the folder of a run that has just ended, and return its path.

    results, drawn: as they were made for the folder.
    """
    case = case_of(folder, made, prepared, machine, results, drawn)
    return _write(folder / NAME, run_page(case, album(prepared.dataset, True)))


class WrittenPage(NamedTuple):
    """A page that was written. why: a sentence where it shows no images although they were asked for, else ""."""

    path: Path
    why: str = ""


def report_runs(
    folders: Sequence[Path], out: Path | None = None, with_images: bool = True, data: str = "", force: bool = False
) -> WrittenPage:
    """Write the page of one run, or one page for several side by side.

    out: "report.html" in the run's folder, or for several "runs/report.html", if None. data: where the data of the one
    run are by now, "" where they were. force: replace a page even where its images are lost. Raises RunError where a
    folder holds no result, and for images that would be lost, FileError where files are damaged or do not fit together.
    """
    if len(folders) > MOST:
        raise RunError(f"{len(folders)} runs do not fit side by side: give up to {MOST}")
    if data and len(folders) > 1:
        raise UsageError("--data is for the page of one run: a page of several shows no images")
    with fitting_together(*folders):
        if len(folders) == 1:
            case, images = _opened(folders[0], None, with_images, data)
            path = out or folders[0] / NAME
            why = images.why if with_images and images.dataset is None else ""
            if why and not force and _shows_images(path):
                raise RunError(f"{path}: would lose its images: {why} {_remedy(data)}")
            return WrittenPage(_write(path, run_page(case, images)), why)
        cases = [read_case(folder) for folder in folders]
        page = versus_page(cases, _sentences(cases, not with_images), not with_images)
    if out is None:
        with suppress(OSError):  # what is in its way is told where the page is written
            Path("runs").mkdir(exist_ok=True)
    return WrittenPage(_write(out or Path("runs") / NAME, page))


def _remedy(data: str) -> str:
    """Say how to keep the images of a page."""
    return (
        f"{'' if data else '--data says where they are now; '}--out writes another page, --force this one without them"
    )


def _shows_images(path: Path) -> bool:
    """Test whether a page shows images of its data: where it does not, it says why."""
    try:
        page = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return "data:image/webp" in page and NOT_SHOWN not in page and LEFT_OUT not in page


def _write(path: Path, page: str) -> Path:
    write_text(path, page)
    return path


def _opened(folder: Path, dataset: Dataset | None, with_images: bool, data: str = "") -> tuple[Case, Album]:
    """Read the folder and the images that it speaks of. data: where they are by now, "" where they were."""
    case = _drawn(read_case(folder))
    if not with_images:
        return case, album(dataset, False)
    try:
        dataset = dataset or loaded(case, data)
        return _explained(case, dataset), album(dataset, True)
    except RunError as changed:
        return case, album(None, True, f"{NOT_SHOWN}: {changed}.")
    except TenfoldError:
        if data:  # the user named it: what is wrong there is the answer
            raise
        absent = f"{NOT_SHOWN}: the data of {case.results.name} are not where they were."
        return case, album(None, True, absent)


def _drawn(case: Case) -> Case:
    """Draw the figures that the folder lacks: there was no time for them, or they are newer than the run."""
    more = draw_all(case.results, case.folder / "figures", have=case.figures).figures
    return case._replace(figures=dict(sorted({**case.figures, **more}.items())))


def _explained(case: Case, dataset: Dataset) -> Case:
    """Draw what predictions rest on, where the folder has no figure of it."""
    if "explanations" in case.figures:
        return case
    trained = load_model(case.folder / "models" / f"{case.results.best}.tenfold")
    maps = explanations(trained, case.results, dataset)
    return _drawn(case._replace(results=replace(case.results, explanations=maps)))


def loaded(case: Case, data: str) -> Dataset:
    """Load the data set of a run again; a RunError where it is not the one that it was trained on."""
    chosen = case.recipe
    dataset = load(
        data or str(chosen.get("data", "")),
        data_dir=str(case.environment.data_dir),
        size=int(chosen.get("size") or 0),
        skip_unreadable=bool(chosen.get("skip_unreadable")),
        download=False,
        parts=str(chosen.get("parts") or ""),
        precedent=precedent_of(as_json(case.data)),
    )
    if fingerprint(dataset) != case.data.fingerprint:
        raise RunError(f"the data of {dataset.name} are not those that the run was trained on")
    return dataset


def _sentences(cases: Sequence[Case], private: bool) -> list[tuple[str, ...]]:
    """Compare every pair: a sentence and its notes, or why there is none, which may name paths."""
    sentences: list[tuple[str, ...]] = []
    apart = False
    for first, second in combinations(cases, 2):
        try:
            comparison = compare_runs(first.folder, second.folder)
            sentences.append((str(comparison["sentence"]), *map(str, comparison["notes"])))
        except TenfoldError as error:
            if first.data.fingerprint != second.data.fingerprint:
                apart = True
                continue
            names = " and ".join(case.folder.resolve().name for case in (first, second))
            sentences.append((f"{names} cannot be compared." if private else str(error),))
    if not apart:
        return sentences
    listed = "; ".join(f"{case.folder.resolve().name} on {case.results.name}" for case in cases)
    return [(f"Only runs that were tested on the same images are compared. These are: {listed}.",), *sentences]
