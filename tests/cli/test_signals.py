"""Ctrl-C and SIGTERM end a command with "stopped" and their exit code, whatever it is at, imports included."""

import json
import signal

import pytest

from tenfold.runs import interrupts
from tenfold.runs.interrupts import imports_under_way, listening
from tests.processes import Moment, started

MODULES = ("tenfold.cli", "click", "numpy", "scipy", "torch", "torch.nn", "torch.fx", "pydantic", "matplotlib.figure")


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_during_an_import_stops_the_command(module, number, code, tmp_path):
    moment = Moment(tmp_path / "moment", module, number=number, event="import")
    process = started("train", "digits", "--out", str(tmp_path / "run"), moment=moment)
    out, err = process.communicate()
    assert moment.came()
    assert (process.returncode, out, err) == (code, "", "tenfold: stopped\n")
    assert not (tmp_path / "run").exists()


def test_a_machine_reads_that_it_was_stopped(tmp_path):
    moment = Moment(tmp_path / "moment", "torch", number=signal.SIGINT, event="import")
    out, _ = started("train", "digits", "--json", moment=moment).communicate()
    assert json.loads(out) == {"error": {"message": "stopped", "code": 130}}


@pytest.mark.parametrize("module", ["tenfold.data.audit", "tenfold.report.pages"])
def test_a_signal_during_an_import_of_a_run_stops_it_in_a_folder_to_resume(module, tmp_path):
    folder = tmp_path / "run"
    moment = Moment(tmp_path / "moment", module, number=signal.SIGINT, event="import")
    process = started("fit", "digits", "--minutes", "0.01", "--out", str(folder), moment=moment)
    _, err = process.communicate()
    assert moment.came()
    assert process.returncode == 130
    assert err.splitlines()[-1].startswith("tenfold: stopped")
    assert not folder.exists() or json.loads((folder / "status.json").read_text())["state"] == "interrupted"


def test_three_signals_in_a_row_leave_the_report(tmp_path):
    folder = tmp_path / "run"
    moment = Moment(tmp_path / "moment", "models/linear-hinge.tenfold", number=signal.SIGINT, more=2)
    process = started("fit", "digits", "--out", str(folder), moment=moment)
    _, err = process.communicate()
    assert process.returncode == 130
    assert f"its report {folder / 'report.html'}" in err
    assert (folder / "report.html").exists()


def test_a_signal_long_after_the_first_breaks_off_at_once(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(interrupts.time, "monotonic", lambda: clock[0])
    with listening() as heard, heard.patient():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)  # the same request
        assert heard.came == signal.SIGINT
        clock[0] = 2.1
        with pytest.raises(interrupts.Interrupted) as stop:
            signal.raise_signal(signal.SIGTERM)
    assert stop.value.args[1] == 143


def test_imports_are_counted(tmp_path, monkeypatch):
    (tmp_path / "probe_of_imports.py").write_text(
        "import sys\nfrom tenfold.runs.interrupts import imports_under_way as n\ncount = n(sys._getframe())\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    before = imports_under_way(interrupts.sys._getframe())
    import probe_of_imports

    assert probe_of_imports.count > before
    assert imports_under_way(None) == 0
