"""A user's own function: what it may look like, and the one plain line that everything else ends in."""

import os
import sys
import textwrap
import warnings
from pathlib import Path

import numpy as np
import pytest

from tenfold.errors import DataError, UsageError
from tenfold.seeds import generator
from tenfold.teach.doctor import guarded, userfile
from tenfold.teach.doctor import userfile as calling
from tenfold.teach.doctor.userfile import user_subjects

S, B = "x=3x10,W=4x10,y=3:4", "x=3x10,W=4x10,b=4,y=3:4"
SOFTMAX = """
import numpy as np

def passes(x, W, b, y):
    z = x @ W.T + b
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    n = len(y)
    loss = -np.log(p[np.arange(n), y]).mean()
    p[np.arange(n), y] -= 1
    return loss, p / n
"""
TORCH = """
import torch

def passes(x, W, y):
    z = x @ W.T
    loss = torch.nn.functional.cross_entropy(z, y)
    p = torch.softmax(z, 1)
    p[torch.arange(len(y)), y] -= 1
    return loss, p.T @ x / len(y)
"""


@pytest.fixture
def subject(tmp_path):
    """`subject("return 1.0, W", shapes)`: a function f whose body that is, after `loss, d = passes(x, W, b, y)`."""

    def build(body, shapes=B, head=SOFTMAX, arguments="x, W, b, y", **options):
        path = tmp_path / "my.py"
        path.write_text(f"{head}\n\ndef f({arguments}):\n{textwrap.indent(textwrap.dedent(body), '    ')}\n")
        (found,) = user_subjects(f"{path}:f", shapes, **options)
        return found

    return build


def point(subject, seed=0):
    return subject.draw(generator(seed), False)


GRADS = "loss, d = passes(x, W, b, y)\ndx, dW, db = d @ W, d.T @ x, d.sum(0)\nreturn loss, "
WAYS = {
    "a tuple": ("(dW, db)", ("W", "b")),
    "a list": ("[dW, db]", ("W", "b")),
    "three things": ("dW, db", ("W", "b")),
    "by name": ('{"b": db, "W": dW}', ("W", "b")),
    "by dW": ('{"dW": dW, "db": db}', ("W", "b")),
    "by grad_W": ('{"grad_W": dW, "grad_b": db}', ("W", "b")),
    "x too, by name": ('{"dx": dx, "dW": dW, "db": db}', ("x", "W", "b")),
    "x first": ("(dx, dW, db)", ("x", "W", "b")),
    "x last": ("(dW, db, dx)", ("x", "W", "b")),
    "lists of numbers": ("(dW.tolist(), db.tolist())", ("W", "b")),
}


@pytest.mark.parametrize(("returned", "blocks"), WAYS.values(), ids=WAYS)
def test_gradients_are_found_however_they_are_returned(subject, returned, blocks):
    wanted, found = subject(GRADS + "(dx, dW, db)"), subject(GRADS + returned)
    assert found.blocks == blocks
    at = point(found)
    right, ours = wanted.evaluate(at), found.evaluate(at)
    assert ours.value == right.value
    assert ours.dtype == "float64"
    for name in blocks:
        assert np.array_equal(ours.grads[name], right.grads[name])


def test_a_gradient_alone_belongs_to_the_one_parameter_or_to_x(subject):
    one = subject("loss, d = passes(x, W, 0, y)\nreturn loss, d.T @ x", S, arguments="x, W, y")
    bare = subject("return float((x ** 2).sum()), 2 * x", "x=3x2", arguments="x")
    listed = subject("return float((x ** 2).sum()), (2 * x).tolist()", "x=3x2", arguments="x")
    assert (one.blocks, bare.blocks, listed.blocks) == (("W",), ("x",), ("x",))
    assert np.array_equal(bare.evaluate(point(bare)).grads["x"], 2 * point(bare).x)


SHAPES = {
    "transposed": ("(d.T @ x).T, d.sum(0)", "the gradient of W has shape 10×4, expected 4×10: it is transposed"),
    "not summed": ("d.T @ x, d", "the gradient of b has shape 3×4, expected (4,): it has one row for each of the 3"),
    "columns": ("d.T @ x, d.T", "of b has shape 4×3, expected (4,): it has one column for each of the 3 inputs"),
    "keepdims": ("d.T @ x, d.sum(0, keepdims=True)", "of b has shape 1×4, expected (4,): an axis of length 1"),
    "order": ("d.sum(0), d.T @ x", "of W has shape (4,), expected 4×10: the gradients are in another order than W, b"),
    "scores": ("d, d.sum(0)", "of W has shape 3×4, expected 4×10: that is the shape of the scores' gradient"),
    "each image": ("np.ones((3, 4, 10)), d.sum(0)", "of W has shape 3×4×10, expected 4×10: it has one row for each"),
    "one number": ("d.T @ x, d.sum()", "of b has shape (), expected (4,): it was summed over everything"),
    "axis gone": ("(d.T @ x).sum(1), d.sum(0)", "of W has shape (4,), expected 4×10: an axis was summed away"),
    "of x": ("x, d.sum(0)", "of W has shape 3×10, expected 4×10"),
}


@pytest.mark.parametrize(("returned", "told"), SHAPES.values(), ids=SHAPES)
def test_wrong_shapes_are_told_as_a_tutor_would(subject, returned, told):
    found = subject(f"loss, d = passes(x, W, b, y)\nreturn loss, ({returned})")
    with pytest.raises(DataError) as error:
        found.evaluate(point(found))
    assert told in str(error.value)
    assert "my.py: f" in str(error.value)


COLUMNS = "z = W @ x + b\n"
ELSEWHERE = {
    "columns": ("x=10x5,W=4x10,b=4x1,y=5:4", "W, np.ones((4, 5))", "it has one column for each of the 5 inputs"),
    "columns of targets": ("x=10x5,W=4x10,b=4x1,y=4x5", "W, np.ones((4, 5))", "one column for each of the 5 inputs"),
    "columns, one-hot": ("x=10x5,W=4x10,b=4x1,y=5:4:onehot", "W, np.ones((4, 5))", "for each of the 5 inputs"),
    "rows": (
        "x=5x10,W=4x10,b=1x4,y=5:4",
        "W, np.ones((5, 4))",
        "row for each of the 5 inputs; sum it over them (axis 0",
    ),
    "one input": ("x=10,W=4x10,b=4,y=1:4", "W, np.ones((4, 1))", "an axis of length 1"),
    "one input, not summed": ("x=4,W=3x4,b=3,y=1:3", "np.ones((4, 3, 4)), b", "expected 3×4"),
    "one input, a row": ("x=4,W=3x4,b=3,y=1:3", "np.ones((1, 3, 4)), b", "an axis of length 1"),
    "one regressed": ("x=4,W=3x4,b=3,y=3", "np.ones((4, 3, 4)), b", "expected 3×4"),
}


@pytest.mark.parametrize(("shapes", "returned", "told"), ELSEWHERE.values(), ids=ELSEWHERE)
def test_inputs_are_counted_by_their_targets(subject, shapes, returned, told):
    found = subject(f"return 1.0, {returned}", shapes)
    with pytest.raises(DataError) as error:
        found.evaluate(point(found))
    assert told in str(error.value)
    assert ("for each" in str(error.value)) is ("5" in shapes), "a single input has nothing to be summed over"


SQUARES = "r = x @ W - {t}\nn = len(x)\n"
TARGETS = {
    "t": ("x=5x7,W=7x3,t=5x3", "x, W, t", "x.T @ r", "t", ("W",)),
    "targets": ("x=5x7,W=7x3,targets=5x3", "x, W, targets", "x.T @ r", "targets", ("W",)),
    "Label": ("x=5x7,W=7x3,Label=5x3", "x, W, Label", "x.T @ r", "Label", ("W",)),
    "by length": ("x=5x7,W=7x3,wanted=5x3", "x, W, wanted", "x.T @ r", "wanted", ("W",)),
    "and x": ("x=5x7,W=7x3,t=5x3", "x, W, t", "r @ W.T, x.T @ r", "t", ("x", "W")),
    "a gradient of its own": ("x=5x7,W=7x3,t=5x3", "x, W, t", "x.T @ r, -r", "t", ("W", "t")),
    "as long, with a gradient": ("x=5x7,W=7x3,c=5x3", "x, W, c", "x.T @ r, -r", "c", ("W", "c")),
    "by name": ("x=5x7,W=7x3,t=5x3", "x, W, t", "{'W': x.T @ r}", "t", ("W",)),
}


@pytest.mark.parametrize(("shapes", "arguments", "returned", "t", "blocks"), TARGETS.values(), ids=TARGETS)
def test_real_targets_need_not_be_called_y(subject, shapes, arguments, returned, t, blocks):
    found = subject(SQUARES.format(t=t) + f"return 0.5 * (r * r).sum(), ({returned})", shapes, arguments=arguments)
    assert found.blocks == blocks
    assert (point(found).y is None) is (t in blocks)
    assert set(found.evaluate(point(found)).grads) == set(blocks)
    assert set(found.shapes) == {"x", "W", *blocks}


def test_targets_in_columns_are_known_by_their_name(subject):
    assert subject("return 1.0, W", "x=7x5,W=3x7,t=3x5", arguments="x, W, t").blocks == ("W",)


def test_a_wrong_shape_is_told_where_targets_have_a_name_of_their_own(subject):
    found = subject("return 1.0, W.T", "x=5x7,W=7x3,wanted=5x3", arguments="x, W, wanted")
    with pytest.raises(DataError, match="the gradient of W has shape 3×7, expected 7×3: it is transposed"):
        found.evaluate(point(found))


def test_where_no_array_can_be_the_targets_their_name_is_told(subject):
    with pytest.raises(DataError, match=r"1 gradient for the 2 parameters W, c; .* real targets, .* are named y"):
        subject("return 1.0, W", "x=5x7,W=7x3,c=4", arguments="x, W, c")


def test_the_first_array_keeps_its_name(subject):
    found = subject("return (scores ** 2).sum(), {'dscores': 2 * scores}", "scores=3x4,y=3:4", arguments="scores, y")
    assert (found.blocks, list(found.shapes)) == (("scores",), ["scores"])
    at = point(found)
    assert np.array_equal(found.evaluate(at).grads["scores"], 2 * at.x)
    upper = subject("return (X @ W).sum(), X @ W, W", "W=7x3,X=5x7", arguments="W, X")
    with pytest.raises(DataError, match="the gradient of X has shape 5×3, expected 5×7"):
        upper.evaluate(point(upper))
    traced = subject("return (X * X).sum(), 2 * X", "X=3x2", "import torch", "X")
    assert set(traced.traced(point(traced))) == {"X"}
    assert subject("return (X * X).sum(), {'dx': 2 * X}", "X=3x2", arguments="X").blocks == ("X",)


FAULTY = {
    "no return": ("passes(x, W, b, y)", "returns None (is a return missing?); expected value, gradients"),
    "a value alone": ("return passes(x, W, b, y)[0]", "returns one thing, of type float64"),
    "no gradients": ("return 1.0, None", "returns None for its gradients"),
    "a gradient of nothing": ("return 1.0, None, None", "the gradient of W is None"),
    "one short": ("return 1.0, W", "returns 1 gradient for the 2 parameters W, b"),
    "many": ("return 1.0, W, b, x, y", "returns 4 gradients for the 2 parameters W, b"),
    "misnamed": ("return 1.0, {'W': W, 'bais': b}", "a gradient of 'bais'"),
    "one named": ("return 1.0, {'W': W}", "returns 1 gradient for the 2 parameters"),
    "text": ("return 'low', W, b", "the value is no array of numbers but a str"),
    "text as gradient": ("return 1.0, 'W', b", "the gradient of W is no array of numbers but a str"),
    "words": ("return 1.0, np.full(W.shape, 'a'), b", "the gradient of W is no array of numbers but an array of <U1"),
    "objects": ("return 1.0, np.full(W.shape, None), b", "W is an array of Python objects (NoneType), not of numbers"),
    "ragged": ("return 1.0, [[1.0], [1.0, 2.0]], W, b", "a gradient is no array of numbers but a list"),
    "says nothing": (
        "class E(Exception):\n    def __str__(self): raise RuntimeError\nraise E()",
        "raises E in line 17",
    ),
    "ends saying nothing": (
        "class E:\n    def __str__(self): raise RuntimeError\nraise SystemExit(E())",
        "ends Python in line 17 (exit code )",
    ),
    "complex": ("return 1.0, W * 1j, b", "the gradient of W is complex"),
    "a loss each": ("return np.ones(3), W, b", "the value has shape (3,) (one loss for each input: take their mean"),
    "raises": ("return x @ W, W, b", "raises ValueError in line 15"),
    "raises by itself": ("raise KeyError('W')", "raises KeyError in line 15: 'W'"),
    "exits": ("raise SystemExit(3)", "ends Python in line 15 (exit code 3)"),
    "asks": ("input('how? ')", "asks for input in line 15"),
    "never ends": ("while True: pass", "took more than 0.3 s"),
    "swallows": ("try:\n    while True: x.sum()\nexcept Exception: pass\nreturn 1.0, W, b", "took more than 0.3 s"),
}


@pytest.mark.parametrize(("body", "told"), FAULTY.values(), ids=FAULTY)
def test_what_fails_in_a_function_is_one_plain_line(subject, monkeypatch, body, told):
    if "took more" in told:
        monkeypatch.setattr(calling, "CALLING", 0.3)
    monkeypatch.setattr(guarded, "AGAIN", 10)
    with pytest.raises(DataError) as error:
        (lambda found: found.evaluate(point(found)))(subject(body))
    assert told in str(error.value)
    assert "\n" not in str(error.value)


IMPORTS = {
    "no Python": ("def f(x:", "line 1: is not Python"),
    "null bytes": ("x = 1\0", "is not Python"),
    "lacks a module": ("import surely_not_there", "importing it raises ModuleNotFoundError in line 1"),
    "raises": ("raise ValueError('boom')", "importing it raises ValueError in line 1: boom"),
    "exits": ("import sys; sys.exit()", "importing it ends Python in line 1"),
    "asks": ("name = input()", "importing it asks for input in line 1"),
    "never ends": ("while True: pass", "importing it took more than 0.2 s"),
}


@pytest.mark.parametrize(("text", "told"), IMPORTS.values(), ids=IMPORTS)
def test_what_fails_in_an_import_is_one_plain_line(tmp_path, monkeypatch, text, told):
    if "took more" in told:
        monkeypatch.setattr(userfile, "IMPORTING", 0.2)
    (tmp_path / "my.py").write_text(text)
    with pytest.raises(DataError) as error:
        user_subjects(f"{tmp_path / 'my.py'}:f", S)
    assert str(error.value).startswith(f"{tmp_path / 'my.py'}: ")
    assert told in str(error.value)


TWO = "def one(x): return (x * x).sum(), 2 * x\ndef two(x): return one(x)\nthree = 3\n"
ABSENT = {
    "a file": ("nmy.py:one", TWO, "no such file; did you mean"),
    "a folder": ("gone/my.py:one", TWO, "no such file, and"),
    "a function": ("my.py:ine", TWO, "no function 'ine': did you mean 'one'? (known: one, two)"),
    "any function": ("my.py:f", "three = 3", "no function 'f': the file defines none"),
    "no function": ("my.py:three", TWO, "three is no function; its type is int"),
    "which": ("my.py", TWO, "say which function, one of one, two"),
}


@pytest.mark.parametrize(("target", "text", "told"), ABSENT.values(), ids=ABSENT)
def test_what_is_not_there_is_named(tmp_path, target, text, told):
    (tmp_path / "my.py").write_text(text)
    with pytest.raises(UsageError) as error:
        user_subjects(str(tmp_path / target), "x=3x2")
    assert told in str(error.value)


CASES = {
    "none": ("", "give the sizes of its arguments (--shapes"),
    "no list": ("CASES = 3", "CASES should be a list"),
    "no shapes": ("CASES = [{'function': 'one'}]", "has no 'shapes'"),
    "no such": ("CASES = [{'function': 'noe', 'shapes': 'x=3'}]", "no function 'noe'"),
    "words": (
        "CASES = [{'function': 'one', 'shapes': 'x=3', 'reg': 'l2'}]",
        "'reg' is 'l2'; expected function, shapes",
    ),
    "too much": ("CASES = [{'function': 'one', 'shapes': 'x=3', 'reg': 1}]", "takes no 'reg'"),
}


@pytest.mark.parametrize(("line", "told"), CASES.values(), ids=CASES)
def test_cases_that_cannot_be_used_are_named(tmp_path, line, told):
    (tmp_path / "my.py").write_text(TWO + line)
    with pytest.raises(UsageError) as error:
        user_subjects(str(tmp_path / "my.py"))
    assert told in str(error.value)


def test_cases_bind_constants_and_are_chosen_by_function(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "beside.py").write_text("def scaled(x, a): return a * (x * x).sum(), 2 * a * x\n")
    path = tmp_path / "my.py"
    path.write_text(
        "from beside import scaled\ndef own(x, a): return scaled(x, a)\n"
        "CASES = [{'function': 'own', 'shapes': 'x=3', 'a': 2}, {'function': 'scaled', 'shapes': 'x=2,a=0.5'}]"
    )
    own, scaled = user_subjects(str(path))
    assert (own.constants, scaled.constants) == ({"a": 2}, {"a": 0.5})
    assert own.evaluate(point(own)).value == pytest.approx(2 * (point(own).x ** 2).sum())
    assert [one.name for one in user_subjects(f"{path}:scaled")] == [scaled.name]
    assert not sys.dont_write_bytecode
    assert not list(tmp_path.rglob("*.pyc")), "bytecode is left beside the user's file"


def test_a_file_that_goes_elsewhere_is_found_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "away").mkdir()
    (tmp_path / "my.py").write_text("import os\nos.chdir('away')\n" + TWO)
    (one,) = user_subjects("my.py:one", "x=3")
    assert one.name == "my.py:one"
    assert Path.cwd() == tmp_path


def test_arguments_are_copies_and_writing_into_them_is_noticed(subject):
    tidy = subject("loss, d = passes(x, W, b, y)\nreturn loss, d.T @ x, d.sum(0)")
    untidy = subject("loss, d = passes(x, W, b, y)\nW -= 1\ny[:] = 0\nreturn loss, d.T @ x, d.sum(0)")
    at = point(untidy)
    before = at.params["W"].copy()
    assert untidy.evaluate(at).changed == ("W", "y")
    assert np.array_equal(at.params["W"], before)
    assert tidy.evaluate(at).changed == ()
    assert tidy.evaluate(at).value == untidy.evaluate(at).value


def test_what_is_not_finite_is_handed_on(subject):
    found = subject("return np.nan, W * np.inf, b").evaluate(point(subject("return 1.0, W, b")))
    assert np.isnan(found.value)
    assert np.isinf(found.grads["W"]).any()


def test_prints_and_warnings_go_nowhere(subject, capfd):
    said = "print('here')\nimport sys\nprint('there', file=sys.stderr)"
    found = subject(f"import warnings\nwarnings.warn('no')\n{said}\n1 / np.zeros(1)\nreturn 1.0, W, b")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        found.evaluate(point(found))
    assert seen == []
    assert capfd.readouterr() == ("", "")


def test_what_is_written_to_the_process_goes_nowhere_but_what_is_let_through(capfd):
    print("before")
    with guarded.silenced() as aloud:
        os.write(1, b"within\n")
        os.write(2, b"within\n")
        with aloud():
            print("through")
            print("through", file=sys.stderr)
        os.write(2, b"within\n")
    print("after")
    assert capfd.readouterr() == ("before\nthrough\nafter\n", "through\n")


def test_torch_functions_get_tensors_and_are_traced(subject):
    found = subject("return passes(x, W, y)", S, TORCH, "x, W, y")
    at = point(found)
    given, traced = found.evaluate(at), found.traced(at)
    assert np.abs(given.grads["W"] - traced["W"]).max() < 1e-12


UNTRACED = {
    "NumPy": (SOFTMAX, "loss, d = passes(x, W, 0, y)\nreturn loss, d.T @ x"),
    "a number": (TORCH, "loss, dW = passes(x, W, y)\nreturn loss.item(), dW"),
    "cut off": (TORCH, "loss, dW = passes(x.detach(), W.detach(), y)\nreturn loss, dW"),
    "differentiated": (
        TORCH,
        "W = W.clone().detach().requires_grad_()\nloss = passes(x, W, y)[0]\nloss.backward()\nreturn loss, W.grad",
    ),
}


@pytest.mark.parametrize(("head", "body"), UNTRACED.values(), ids=UNTRACED)
def test_what_cannot_be_traced_is_not(subject, head, body):
    found = subject(body, S, head, "x, W, y")
    assert found.evaluate(point(found)).grads["W"].shape == (4, 10)
    assert found.traced(point(found)) is None


def test_a_traced_function_may_work_in_place(subject):
    body = "z = x @ W.T\np = z.log_softmax(1)\nloss = -p[torch.arange(len(y)), y].mean()\np.exp_()\n"
    found = subject(body + "p[torch.arange(len(y)), y] -= 1\nreturn loss, p.T @ x / len(y)", S, TORCH, "x, W, y")
    at = point(found)
    assert np.abs(found.evaluate(at).grads["W"] - found.traced(at)["W"]).max() < 1e-12


def test_tensors_are_tried_where_arrays_fail(subject):
    found = subject("return passes(x, W, y)", S, "import numpy as np\n" + TORCH, "x, W, y")
    assert found.traced(point(found)) is not None


def test_the_kind_of_arrays_can_be_said(subject):
    body = "return float((W * W).sum()) + 0 * len(y), 2 * W"
    assert subject(body, S, TORCH, "x, W, y", arrays="numpy").traced(point(subject(body, S, TORCH, "x, W, y"))) is None
    with pytest.raises(DataError, match="TypeError"):
        subject("return passes(x, W, y)", S, TORCH, "x, W, y", arrays="numpy")


def test_float32_is_what_the_function_gets(subject):
    body = "assert W.dtype == np.float32\nloss, d = passes(x, W, b, y)\nreturn loss, d.T @ x, d.sum(0)"
    assert subject(body, float32=True).evaluate(point(subject("return 1.0, W, b"))).dtype == "float32"
    narrow = subject("loss, d = passes(x, W, b, y)\nreturn loss, (d.T @ x).astype(np.float32), d.sum(0)")
    assert narrow.evaluate(point(narrow)).dtype == "float32", "the coarser of value and gradients"
