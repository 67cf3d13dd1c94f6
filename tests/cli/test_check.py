"""`tenfold check` as people and machines meet it."""

import itertools
import json
import os
from pathlib import Path

import pytest
import torch

from tenfold import cli
from tenfold.choices import recipe
from tenfold.teach.doctor.check import Request, check

RIGHT = """
import os
import numpy as np

def loss_and_grad(x, W, y):
    z = x @ W.T
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    n = len(y)
    loss = -np.log(p[np.arange(n), y]).mean()
    p[np.arange(n), y] -= 1
    return loss, p.T @ x / n

def not_averaged(x, W, y):
    loss, grad = loss_and_grad(x, W, y)
    return loss, grad * len(y)

def transposed(x, W, y):
    loss, grad = loss_and_grad(x, W, y)
    return loss, grad.T

def nowhere_finite(x, W, y):
    loss, grad = loss_and_grad(x, W, y)
    return loss * np.nan, grad

def in_place(x, W, y):
    loss, grad = loss_and_grad(x, W, y)
    W *= 0
    return loss, grad

def noisy(x, W, y):
    os.write(1, b"noise")
    os.write(2, b"noise")
    return loss_and_grad(x, W, y)

def one_hot_wrong(x, W, y):
    loss, grad = one_hot(x, W, y)
    return loss, 3 * grad

def one_hot(x, W, y):
    return loss_and_grad(x, W, y.argmax(1)) if set(y.flat) == {0, 1} else (y.sum() + W.sum(), W)

CASES = [{"function": "loss_and_grad", "shapes": "x=3x10,W=4x10,y=3:4"}]
"""
SHAPES = ("--shapes", "x=3x10,W=4x10,y=3:4")
QUICK = ("--points", "2")


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """`run("losses/hinge", …)` in a folder with my.py: exit code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(cli.COMMANDS, "check", "")
    Path("my.py").write_text(RIGHT)

    def command(*words):
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main(["check", *words])
        return end.value.code, *capfd.readouterr()

    return command


def told(out):
    """Output as one line, however it was wrapped."""
    return " ".join(out.split())


def test_a_loss_of_the_room_is_right_and_its_laws_are_told(run):
    code, out, err = run("losses/hinge", *QUICK)
    assert (code, err) == (0, "")
    assert "check losses/hinge computes the hinge loss sizes x 5×4" in told(out)
    assert "the gradient is right" in told(out)
    assert "shift invariance yes adding a constant to all scores of an image changes nothing" in told(out)
    assert max(map(len, out.splitlines())) <= 80


def test_a_function_of_ones_own_is_right(run):
    code, out, err = run("my.py:loss_and_grad", *SHAPES, *QUICK)
    assert (code, err) == (0, "")
    assert "sizes x 3×10, W 4×10" in told(out)
    assert run("my.py", *QUICK) == (code, out.replace("my.py:loss_and_grad", "my.py:loss_and_grad"), err)


def test_a_wrong_gradient_ends_with_1_and_names_the_fault(run):
    code, out, err = run("my.py:not_averaged", *SHAPES)
    assert (code, err) == (1, "")
    assert "WRONG the gradient is wrong:" in told(out)
    code, out, _ = run("my.py:not_averaged", *SHAPES, "--json")
    (subject,) = json.loads(out)["subjects"]
    assert (code, subject["verdict"]) == (1, "wrong")
    assert subject["findings"][0]["fault"] == "missing_mean"


def test_one_wrong_gradient_among_several_ends_with_1(run):
    cases = [{"function": name, "shapes": SHAPES[1]} for name in ("loss_and_grad", "not_averaged")]
    Path("my.py").write_text(f"{RIGHT}\nCASES = {cases}\n")
    code, out, _ = run("my.py", *QUICK)
    assert code == 1
    assert "1 of 2 gradients are right" in out


def test_one_hot_labels_are_said_so(run):
    assert run("my.py:one_hot", "--shapes", "x=3x10,W=4x10,y=3:4:onehot", *QUICK)[0] == 0
    code, out, _ = run("my.py:one_hot", "--shapes", "x=3x10,W=4x10,y=3x4", *QUICK)
    assert code == 1
    assert "if labels are meant, one 1 among zeros, say y=3:4:onehot" in told(out)
    code, out, _ = run("my.py:one_hot_wrong", "--shapes", "x=3x10,W=4x10,y=3:4:onehot", *QUICK)
    assert code == 1
    assert "labels are meant" not in told(out)


def test_a_slow_check_says_what_it_is_at(run, monkeypatch):
    assert run("my.py:noisy", *SHAPES, *QUICK)[2] == ""
    monkeypatch.setattr("tenfold.teach.doctor.check.SLOW", -1)
    monkeypatch.setattr("tenfold.teach.doctor.check.PACE", 0)
    _, _, err = run("my.py:noisy", *SHAPES, *QUICK)
    assert "my.py:noisy: one call takes 0.0 s" in err
    assert "my.py:noisy: called 20 times" in err
    assert "noise" not in err


def test_progress_is_told_at_a_pace(run, monkeypatch):
    clock = itertools.count()
    monkeypatch.setattr("tenfold.teach.doctor.check.time.perf_counter", lambda: next(clock) / 8)
    lines = run("my.py:noisy", *SHAPES, *QUICK)[2].splitlines()
    calls = [int(line.split()[2].replace(",", "")) for line in lines if "called" in line]
    assert len(calls) > 2
    assert {b - a for a, b in itertools.pairwise(calls)} == {41}, "as soon as five seconds have passed"


def test_a_search_through_pairs_tells_its_progress(run, monkeypatch):
    monkeypatch.setattr("tenfold.teach.doctor.check.PACE", 0)
    Path("odd.py").write_text(
        f"{RIGHT}\ndef odd(x, W, y):\n    value, grad = loss_and_grad(x, W, y)\n    return value, grad + x.sum() ** 2\n"
    )
    _, _, err = run("odd.py:odd", *SHAPES, *QUICK)
    assert "odd.py:odd: no single fault explains the gradient; 100 pairs of faults tried" in err


def test_small_products_are_computed_by_one_thread(run):
    grad = "2 * x * torch.get_num_threads()"
    Path("threads.py").write_text(f"import torch\n\ndef f(x):\n    return (x**2).sum(), {grad}\n")
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    assert run("threads.py:f", "--shapes", "x=3", *QUICK)[0] == 0
    assert torch.get_num_threads() == 2
    torch.set_num_threads(before)


def test_what_is_watched_reaches_the_process(run, monkeypatch, capfd):
    monkeypatch.setattr("tenfold.teach.doctor.check.SLOW", -1)
    check(Request("my.py:noisy", recipe({}), shapes=SHAPES[1], points=1), lambda line: os.write(2, f"{line}.".encode()))
    out, err = capfd.readouterr()
    assert (out, err.count("my.py:noisy")) == ("", 1)
    assert "noise" not in err


def test_json_is_one_line_without_nan(run):
    for words in (("my.py:nowhere_finite", *SHAPES), ("losses/softmax",), ("my.py:noisy", *SHAPES)):
        _, out, err = run(*words, *QUICK, "--json")
        assert err == ""
        assert len(out.splitlines()) == 1
        result = json.loads(out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
        assert set(result) == {"target", "right", "subjects", "data", "sanity", "seconds"}


def test_what_is_worth_knowing_is_noted(run):
    assert "note it writes into its argument W" in told(run("my.py:in_place", *SHAPES, *QUICK)[1])
    assert "note float32 has 7 digits" in told(run("losses/hinge", "--float32", *QUICK)[1])
    assert "not finite" in told(run("my.py:nowhere_finite", *SHAPES, *QUICK)[1])


def test_a_room_is_checked_as_a_whole(run):
    code, out, _ = run("layers", "--points", "1")
    assert code == 0
    assert "16 of 16 gradients are right" in out
    assert "layers/leaky_relu" in out


def test_a_model_on_data(run):
    code, out, err = run("models/linear", "--data", "digits", "--learning-rate", "0.1", "--points", "1")
    assert code == 0
    assert all("called" in line for line in err.splitlines())  # progress, on a machine that is slow
    assert "models/linear on digits" in out
    assert "initial loss ok 2.602; near ln 10 = 2.303" in told(out)
    code, out, _ = run("models/linear", "--data", "digits", "--initializer", "normal", "--json", "--points", "1")
    finding = json.loads(out)["sanity"][0]
    assert (code, finding["name"], finding["ok"]) == (0, "initial loss", False)


REFUSED = {
    "nothing": ((), 2, "say what to check"),
    "unknown": (("hinge",), 2, "an entry such as losses/hinge"),
    "no such loss": (("losses/hing",), 2, "did you mean 'hinge'"),
    "no file": (("ny.py:f", *SHAPES), 2, "no such file; did you mean 'my.py'"),
    "no function": (("my.py:los", *SHAPES), 2, "no function 'los'"),
    "no sizes": (("my.py:transposed",), 2, "CASES has none for transposed"),
    "sizes": (("my.py:transposed", "--shapes", "x=3y10"), 2, "'x=3y10' cannot be read"),
    "wrong shape": (("my.py:transposed", *SHAPES), 1, "expected 4×10: it is transposed"),
    "foreign sizes": (("losses/hinge", *SHAPES), 2, "--shapes is for a function of your own"),
    "foreign arrays": (("losses/hinge", "--arrays", "torch"), 2, "--arrays is for a function of your own"),
    "foreign option": (("my.py", "--hidden", "3"), 2, "--hidden is for a model"),
    "data": (("losses/hinge", "--data", "digits"), 2, "--data is for a model"),
    "no classifier": (("models/autoencoder", "--data", "digits"), 2, "--data is for a classifier"),
    "a long path": ((f"{'a' * 999}.py:f", *SHAPES), 2, "a… (1,004 letters): no such file"),
    "a long word": (("a" * 999,), 2, "a… (999 letters): no such file, nor an entry"),
    "a long function": ((f"my.py:{'a' * 999}", *SHAPES), 2, "aaa': "),
    "a long size": (("my.py:transposed", "--shapes", f"x={'3' * 999}y"), 2, "cannot be read"),
    "several": (("models/mlp", "--learning-rate", "0.1,0.2"), 2, "learning_rate takes one value in a check"),
    "bad value": (("models/mlp", "--activation", "rleu"), 2, "did you mean 'relu'"),
    "step": (("losses/hinge", "--step", "-1"), 2, "--step -1: expected a number above 0"),
    "tolerance": (("losses/hinge", "--tolerance", "0"), 2, "--tolerance 0: expected a number above 0"),
    "points": (("losses/hinge", "--points", "0"), 2, "0 is not in the range"),
}


@pytest.mark.parametrize(("words", "code", "line"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_checked_is_one_plain_line(run, words, code, line):
    found, out, err = run(*words)
    assert (found, out) == (code, "")
    assert line in err
    assert len(err.splitlines()) == 1
    assert "Traceback" not in err
    assert len(err) < 400, "what is long is not repeated"


def test_help_says_that_the_file_is_run(run):
    code, out, _ = run("--help")
    assert code == 0
    assert "Your file is run as code" in told(out)
