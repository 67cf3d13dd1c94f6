"""The recipe: what it says is what comes back, and what it refuses it explains in one line."""

import contextlib
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tenfold.choices import members, parse, read, recipe, text
from tenfold.errors import UsageError
from tenfold.recipe import SHAPES, SWEEP, VARYING, Recipe
from tenfold.rooms import names, words

HOSTILE = (
    "",
    "a,b",
    'quote " and \\ backslash',
    "line\nbreak\r\n",
    "tab\t and \x00 \x1b[31m \x7f",
    "'''",
    '"""',
    "# no comment",
    "]\nkind = 'fit'",
    "😀 שלום \u202egnp \u2028",
    "../../etc/passwd",
    "x" * 300,
)

LOSSES = sorted([*words("losses"), *words("embedding_losses")])

shares = st.floats(0, 0.999)
positive = st.floats(1e-300, 1e300)
not_negative = st.floats(0, 1e300)
seeds = st.integers(0, 2**32 - 1)


def several(values):
    """One value, or a tuple of distinct ones."""
    return values | st.lists(values, min_size=2, max_size=4, unique=True).map(tuple)


CHOICES = {
    "kind": st.just("train"),
    "data": st.text(st.characters(codec="utf-8")),
    "size": st.integers(0, 1024),
    "skip_unreadable": st.booleans(),
    "rows": st.text(st.characters(codec="utf-8")),
    "validation": positive,
    "standardize": st.sampled_from(["pixel", "channel", "mean-image", "unit", "none"]),
    "flip": several(st.floats(0, 1)) | st.just("photographs"),
    "encoder_hidden": st.lists(st.integers(1, 10**6), min_size=1, max_size=5).map(tuple),
    "model": st.sampled_from(words("models")),
    "hidden": st.lists(st.integers(1, 10**6), min_size=1, max_size=5).map(tuple),
    "dropout": shares,
    "loss": several(st.sampled_from(words("losses"))),
    "initializer": st.sampled_from(names("initializers")),
    "initializer_scale": several(not_negative),
    "init_seed": several(seeds),
    "learning_rate": several(positive),
    "momentum": several(shares),
    "beta1": several(shares),
    "l1": several(not_negative),
    "l2": several(not_negative),
    "clip_norm": several(not_negative),
    "batch_size": st.integers(1, 10**9),
    "epochs": st.integers(1, 10**9),
    "seed": seeds,
    "minutes": positive,
}


def reread(made, tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(text(made), encoding="utf-8")
    return read(path)


def complaint(choices):
    with pytest.raises(UsageError) as caught:
        recipe(choices)
    message = str(caught.value)
    assert "\n" not in message
    return message


@given(st.fixed_dictionaries({}, optional=CHOICES))
def test_a_recipe_comes_back_from_its_text(choices):
    made = recipe(choices)
    again = recipe(tomllib.loads(text(made)))
    assert again == made
    assert hash(again) == hash(made)
    assert text(again) == text(made)


@pytest.mark.parametrize("word", HOSTILE, ids=ascii)
def test_hostile_words_come_back_as_they_were(word, tmp_path):
    made = Recipe(data=word, rows=word)
    again = reread(made, tmp_path)
    assert again == made
    assert again.kind == "train"


@pytest.mark.parametrize("word", ["\ud800", "a folder \udcff"], ids=ascii)
def test_a_word_that_no_file_can_hold_is_refused_or_comes_back(word, tmp_path):
    """Python hands on the bytes of a file name that are no UTF-8 as lone surrogates."""
    with contextlib.suppress(UsageError):
        made = recipe({"data": word})
        assert reread(made, tmp_path) == made


@pytest.mark.parametrize("word", HOSTILE, ids=ascii)
def test_hostile_names_and_values_are_refused_in_one_plain_line(word):
    for choices in ({word: 1}, {"model": word}, {"activation": word}, {"learning_rate": word}, {"loss": [word, word]}):
        message = complaint(choices)
        assert message.isprintable()


def test_every_field_is_in_the_text_in_its_order():
    assert list(tomllib.loads(text(Recipe()))) == list(Recipe.model_fields)
    assert recipe(tomllib.loads(text(Recipe()))) == Recipe()


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("learning_rat", "learning_rate"),
        ("batchsize", "batch_size"),
        ("epoch", "epochs"),
        ("L2", "l2"),
        ("hiden", "hidden"),
    ],
)
def test_an_unknown_key_names_the_nearest(wrong, right, tmp_path):
    assert f"did you mean {right!r}" in complaint({wrong: 1})
    path = tmp_path / "recipe.toml"
    path.write_text(f"{wrong} = 1\n")
    with pytest.raises(UsageError) as caught:
        read(path)
    assert f"recipe.toml: unknown option {wrong!r}: did you mean {right!r}" in str(caught.value)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("model", "liner", "did you mean 'linear'"),
        ("loss", "softmx", "did you mean 'softmax'"),
        ("loss", ["softmax", "hing"], "did you mean 'hinge'"),
        ("model", "autoencoder", f"knows no classes: known: {', '.join(words('models'))}"),
        ("loss", "squared_error", f"knows no classes: known: {', '.join(LOSSES)}"),
        ("loss", ["softmax", "mean-squared-error"], "knows no classes"),
        ("task", "reconstruct", "knows no classes: did you mean 'contrast'?"),
        ("encoder_optimizer", "adm", "did you mean 'adam'"),
        ("encoder_hidden", [64, 0], "greater than or equal to 1"),
        ("encoder_learning_rate", 0.0, "greater than 0"),
        ("initializer", "xaver", "did you mean 'xavier'"),
        ("optimizer", "adm", "did you mean 'adam'"),
        ("schedule", "cosin", "did you mean 'cosine'"),
        ("standardize", "mean-imag", "did you mean 'mean-image'"),
        ("activation", "relo", "'relu'"),
        ("sampling", "random", "shuffle"),
        ("precision", "float16", "'bfloat16'"),
        ("class_weight", "even", "balanced"),
        ("learning_rate", 0.0, "greater than 0"),
        ("learning_rate", -1, "greater than 0"),
        ("learning_rate", "fast", "number"),
        ("learning_rate", float("nan"), "finite"),
        ("learning_rate", float("inf"), "finite"),
        ("learning_rate", [0.1, -0.1], "greater than 0"),
        ("l2", -1e-9, "greater than or equal to 0"),
        ("momentum", 1.0, "less than 1"),
        ("dropout", 1.0, "less than 1"),
        ("flip", 1.5, "less than or equal to 1"),
        ("flip", [0.5, 1.5], "less than or equal to 1"),
        ("flip", [0.5, "photographs"], "photographs stands alone"),
        ("batch_size", 0, "greater than or equal to 1"),
        ("batch_size", 2.5, "integer"),
        ("epochs", -3, "greater than or equal to 1"),
        ("hidden", [128, 0], "greater than or equal to 1"),
        ("hidden", "big", "integer"),
        ("hidden", [], "widths"),
        ("hidden", {}, "integer"),
        ("size", 2000, "less than or equal to 1024"),
        ("seed", -1, "greater than or equal to 0"),
        ("init_seed", 2**32, "less than"),
        ("nesterov", "maybe", "boolean"),
        ("validation", 0, "greater than 0"),
        ("data", 7, "string"),
    ],
)
def test_a_bad_value_gives_one_line_with_the_field_and_what_would_do(field, value, says):
    message = complaint({field: value})
    assert field.replace("_", " ") in message.replace("_", " ")
    assert says in message
    shown = (
        value
        if isinstance(value, str)
        else next((v for v in reversed(value) if v), "")
        if isinstance(value, list)
        else value
    )
    assert str(shown) in message or isinstance(value, list)


@pytest.mark.parametrize("field", [f for f in Recipe.model_fields if f not in (*VARYING, *SWEEP, *SHAPES)])
def test_a_field_that_members_share_takes_one_value(field):
    value = getattr(Recipe(), field)
    assert f"{field} takes one value" in complaint({field: [value, value]})
    assert getattr(recipe({field: [value]}), field) == value


@pytest.mark.parametrize("field", VARYING)
def test_a_field_that_varies_takes_each_value_once(field):
    value = getattr(Recipe(), field)
    assert field in complaint({field: [value, value]})
    assert field in complaint({field: []})


def test_nesterov_belongs_to_sgd():
    assert "nesterov" in complaint({"nesterov": True, "optimizer": "adam"})


def test_it_is_frozen():
    with pytest.raises(ValidationError):
        Recipe().model = "mlp"


@pytest.mark.parametrize(
    "content", [b"", b"model = ", b"\xff\xfe", b"[[[", b"a = 1\na = 1\n", b"[model]\nx=1\n", b"x = " + b"[" * 5000]
)
def test_a_damaged_file_is_one_plain_line_that_names_it(content, tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_bytes(content)
    if not content:
        assert read(path) == Recipe()
        return
    with pytest.raises(UsageError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"none\.toml: no such recipe file"):
        read(tmp_path / "none.toml")
    with pytest.raises(UsageError, match="not a readable TOML recipe"):
        read(tmp_path)


def test_members_are_the_product_with_those_of_a_loss_side_by_side():
    made = recipe({"loss": ["hinge", "softmax"], "learning_rate": [0.1, 0.2], "init_seed": [3, 4], "l2": 0.5})
    settings = members(made)
    assert len(settings) == 8
    assert len({tuple(member.items()) for member in settings}) == 8
    assert [member["loss"] for member in settings] == ["hinge"] * 4 + ["softmax"] * 4
    assert all(set(member) == {"loss", "learning_rate", "l2", "init_seed"} for member in settings)
    assert members(Recipe()) == [{"loss": "softmax", "learning_rate": 0.01, "l2": 0.0}]


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("learning_rate", "0.1", 0.1),
        ("learning_rate", "0.1, 1e-3", [0.1, 0.001]),
        ("hidden", "256-128", [256, 128]),
        ("hidden", "64", [64]),
        ("encoder_hidden", "256-32", [256, 32]),
        ("epochs", "5", 5),
        ("loss", "hinge,softmax", ["hinge", "softmax"]),
        ("standardize", "mean-image", "mean-image"),
        ("rows", "0:100", "0:100"),
    ],
)
def test_an_options_text_becomes_a_value(name, value, wanted):
    assert parse(name, value) == wanted
    recipe({name: parse(name, value)})


@pytest.mark.parametrize(
    ("choices", "wanted"),
    [
        ({"loss": "triplet"}, "loss triplet is one of embeddings: it needs --task contrast"),
        ({"task": "contrast"}, "model linear has no embedding to train"),
        ({"task": "contrast", "model": "mlp", "loss": "hinge"}, "--task contrast takes contrastive, nt_xent"),
        ({"task": "contrast", "model": "mlp", "margin": 0}, "margin = 0: should be greater than 0"),
        ({"task": "contrast", "model": "mlp", "temperature": 0}, "temperature = 0: should be greater than 0"),
        ({"task": "contrast", "model": "mlp", "embedding": 0}, "embedding 0: an encoder needs embeddings"),
        ({"task": "contrast", "model": "mlp", "mixup": 0.2}, "mixup 0.2: does not go with --task contrast"),
        ({"task": "contrast", "model": "mlp", "mining": "distance-weighted"}, "add --embedding-length unit"),
        ({"task": "contrast", "kind": "fit"}, "task is chosen by fit itself"),
    ],
)
def test_what_an_encoder_cannot_be_trained_with_is_refused_in_one_line(choices, wanted):
    assert wanted in complaint(choices)


def test_an_encoder_gets_choices_of_its_task_behind_those_of_its_preset():
    made = recipe({"task": "contrast", "model": "mlp"})
    assert (made.loss, made.embedding, made.test_views) == ("triplet", 128, "none")
    made = recipe({"task": "contrast", "model": "convnet", "preset": "alexnet", "loss": "supcon"})
    assert (made.loss, made.embedding, made.optimizer) == ("supcon", 1000, "adamw")
    assert recipe({"task": "contrast", "model": "convnet"}).loss == "triplet"
