"""Real output of the progress display and the tables: in a pipe, in a terminal, with hostile text."""

import contextlib
import math
import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path

from tenfold.cli import display as displays
from tenfold.cli.display import inert
from tenfold.cli.tables.results import print_fit, print_train
from tenfold.runs.events import Event

HOSTILE = ("[bold]x[/bold]", "[/]", "a\x1b[2Jb", "\u202egnp", "n" * 300, "line\nbreak", "\x9b31m", "")
EVENTS = """
import math, sys
from tenfold.cli.display import display
from tenfold.runs.events import Event
with display(quiet=False) as show:
    show(Event("", 0, 0, 0, math.nan, "", math.nan, "read 3 \\x1b[2J images [/]"))
    show(Event("linear", 2.5, 20, 1.2e6, 0.405, "linear [red]", 83, "rung linear\\ndone"))
print("result")
"""


def test_a_pipe_gets_only_the_messages():
    done = subprocess.run([sys.executable, "-c", EVENTS], capture_output=True, text=True, check=True)
    assert done.stdout == "result\n"
    assert done.stderr == "read 3 [2J images [/]\nrung linear done\n"


def in_terminal(program, environment):
    """What a program writes to stderr when that is a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    seen = bytearray()

    def read():
        # Linux reports an error, not an end, once the last writer of a terminal is gone.
        with contextlib.suppress(OSError):
            while chunk := os.read(ours, 65536):
                seen.extend(chunk)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    variables = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    variables |= {"TERM": "xterm", "COLUMNS": "80"} | environment
    subprocess.run([sys.executable, "-c", program], stderr=theirs, stdout=subprocess.DEVNULL, env=variables, check=True)
    os.close(theirs)
    reader.join()
    os.close(ours)
    return seen.decode()


def test_a_terminal_gets_the_bar():
    seen = in_terminal(EVENTS, {})
    shown = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", seen)
    assert "epoch 2.5 of 20" in shown
    assert "1:23 left" in shown
    assert "best so far 40.50 % (linear [red])" in shown
    assert "1,200,000 images/s" in shown
    assert "rung linear done" in shown
    assert "\x1b[2J" not in seen
    assert all(len(line) <= 80 for line in shown.replace("\r", "\n").split("\n"))


def test_no_color_is_honored():
    colors = re.compile(r"\x1b\[(3|9)\d")
    assert colors.search(in_terminal(EVENTS, {}))
    assert not colors.search(in_terminal(EVENTS, {"NO_COLOR": "1"}))
    assert "\x1b" not in in_terminal(EVENTS, {"TERM": "dumb"})


def test_quiet_gets_only_the_messages():
    seen = in_terminal(EVENTS.replace("quiet=False", "quiet=True"), {})
    assert seen.replace("\r\n", "\n") == "read 3 [2J images [/]\nrung linear done\n"


def test_the_terminal_is_redrawn_at_most_five_times_a_second(monkeypatch):
    class Live:
        drawn = 0

        def update(self, shown, refresh):
            self.drawn += 1

    ticks = iter(range(1000))
    monkeypatch.setattr(displays.time, "monotonic", lambda: next(ticks) / 100)
    live = Live()
    show = displays._redraw(live)
    for step in range(100):
        show(Event("linear", step, 100, 1.0, math.nan, "", math.nan))
    assert live.drawn == 5


def test_the_display_starts_no_thread():
    check = "import threading\n" + EVENTS.replace('print("result")', "    assert threading.active_count() == 1\n")
    in_terminal(check, {})


def test_inert_text_is_one_line_without_controls():
    assert [inert(text) for text in HOSTILE[2:4]] == ["a[2Jb", "gnp"]
    assert inert("line\nbreak\x9b\x07") == "line break"


CALIBRATION = {"temperature": 0.5, "error": 0.021, "uncalibrated_error": 0.098, "log_loss": 0.1}
APART = {"accuracy": 0.96, "interval": [0.93, 0.98], "macro_f1": 0.95, "n": 300}


def fit_result(names):
    test = {"accuracy": 0.9722, "interval": [0.95, 0.986], "macro_precision": 0.97, "macro_recall": 0.97, "n": 360}
    per_class = [{"class": name, "n": 36, "recall": 0.97, "precision": None, "f1": 0.98} for name in names]
    rung = {"members": 16, "validation_accuracy": 0.978, "test_accuracy": None, "test_interval": None, "seconds": 1.25}
    return {
        "run": "runs/" + "deep/" * 30,
        "model": "model.tenfold",
        "best": {"rung": "mlp_256", "settings": {"learning_rate": 0.03, "hidden": [256, 128]}},
        "validation": {"accuracy": 0.978},
        "metric": "accuracy",
        "runner_up": {"rung": "linear", "sentence": "No difference shown between mlp_256 and linear: both."},
        "test": test | {"macro_f1": 0.97, "per_class": per_class, "calibration": CALIBRATION, "without_twins": APART},
        "rungs": [rung | {"rung": name, "macro_f1": math.nan} for name in ("linear_softmax", "r" * 60)],
        "seconds": 12.34,
        "notes": ["2 files [/] \x1b[2J ignored"],
        "report": "runs/deep/report.html",
    }


def member(learning_rate, accuracy, failed=None, stopped=None):
    scores = {"loss": 1.2, "cost": 1.3, "accuracy": accuracy}
    test = scores | {"interval": None if accuracy is None else [accuracy - 0.01, accuracy + 0.01]}
    settings = {"learning_rate": learning_rate, "momentum": 0.9, "l2": learning_rate / 100}
    parts = {"train": scores, "validation": scores, "test": test}
    return parts | {"settings": settings, "weights_sha256": "0" * 64, "failed": failed, "stopped": stopped}


def train_result(members, best=0):
    speed = {"seconds": 3.2, "images_per_second": 1234567.8}
    return {"run": "runs/x", "model": None, "members": members, "best": best, "notes": []} | speed


def lines_of(capsys):
    return capsys.readouterr().out.splitlines()


def test_fit_prints_its_tables_plain_in_a_pipe(capsys):
    print_fit(fit_result(["cat", "dog"]))
    lines = lines_of(capsys)
    assert not any("\x1b" in line for line in lines)
    assert lines[0].endswith("runs/" + "deep/" * 30)
    assert all(len(line) <= 80 for line in lines[1:])
    assert "test        accuracy 97.22 % (95 % interval 95.00 to 98.60, n = 360)" in lines
    assert "settings    learning rate 0.03, hidden 256-128" in lines
    assert any(line.split() == ["linear_softmax", "16", "97.80", "–", "–", "–", "1.2"] for line in lines)
    assert any(line.split() == ["cat", "36", "97.00", "–", "0.980"] for line in lines)
    assert "            calibration error 2.10 % (temperature 0.5; 9.80 % without it)" in lines
    assert any("without twins" in line and "96.00" in line for line in lines)
    assert any("No difference shown" in line for line in lines)
    assert lines[-2:] == ["12.3 s", "report      runs/deep/report.html"]


def test_classes_that_macro_scores_leave_out_are_counted_and_have_a_dash(capsys):
    result = fit_result(["cat", "none"])
    result["test"] |= {"absent": 1}
    result["test"]["per_class"][1] |= {"n": 0, "recall": None, "precision": None, "f1": None}
    print_fit(result)
    lines = lines_of(capsys)
    macro = "            macro precision 0.970, recall 0.970, F1 0.970 (1 class left out that"
    assert macro in lines
    assert any(line.split() == ["none", "0", "–", "–", "–"] for line in lines)


def test_classes_beyond_twenty_are_counted(capsys):
    print_fit(fit_result([f"class {index}" for index in range(100)]))
    lines = lines_of(capsys)
    assert sum(line.startswith("class ") and "36" in line for line in lines) == 20
    assert "… and 80 more classes" in lines


def test_hostile_text_is_printed_as_it_is(capsys):
    print_fit(fit_result(HOSTILE))
    out = capsys.readouterr().out
    assert "[bold]x[/bold]" in out
    assert "note: 2 files [/] [2J ignored" in out
    assert not set(out) & set("\x1b\x9b\u202e\x07")


def test_an_encoding_that_lacks_a_letter_is_no_failure():
    program = "import test_display as t; t.print_fit(t.fit_result(['猫']))"
    variables = os.environ | {"PYTHONIOENCODING": "ascii"}
    command, folder = [sys.executable, "-c", program], Path(__file__).parent
    done = subprocess.run(command, capture_output=True, env=variables, cwd=folder, check=True)
    assert b"?" in done.stdout


def test_one_member_prints_its_parts(capsys):
    print_train(train_result([member(0.1, 0.4)]))
    lines = lines_of(capsys)
    assert "outcome     finished" in lines
    assert "test        1.2000  1.3000     40.00  39.00 to 41.00" in lines
    assert lines[-1] == "3.2 s, 1,234,568 images × members a second"


def test_a_population_is_sorted_and_names_what_failed(capsys):
    failed = member(0.3, None, failed={"step": 7, "layer": "hidden2", "tensor": "output"})
    print_train(train_result([member(0.1, 0.4), failed, member(0.2, 0.5, stopped=30)], best=2))
    lines = lines_of(capsys)
    rows = [line.split(maxsplit=6) for line in lines if re.match(r"[012] ", line)]
    assert [row[0] for row in rows] == ["2", "0", "1"]
    assert rows[0][1:] == ["0.2", "0.002", "50.00", "50.00", "50.00", "best; stopped after step 30"]
    assert rows[2][6] == "failed in step 7: hidden2 output"
    assert "momentum" not in "\n".join(lines)
    assert all(len(line) <= 80 for line in lines)


def test_a_population_shows_twenty_members(capsys):
    print_train(train_result([member(0.01 * index, index / 100) for index in range(64)], best=63))
    assert "… and 44 more members" in lines_of(capsys)


def test_a_population_of_failures_has_no_best(capsys):
    failed = member(0.3, math.nan, failed={"step": 1, "layer": "scores", "tensor": "gradient"})
    print_train(train_result([failed, failed], best=None))
    assert "best        none: no member has a validation accuracy" in lines_of(capsys)


def test_many_settings_become_text(capsys):
    members = [member(0.1, 0.4), member(0.2, 0.5)]
    for index, one in enumerate(members):
        one["settings"] |= {"hidden": [256 + index, 128], "init_seed": index}
    print_train(train_result(members, best=1))
    lines = lines_of(capsys)
    assert any("best; learning rate 0.2" in line for line in lines)
    assert all(len(line) <= 80 for line in lines)
