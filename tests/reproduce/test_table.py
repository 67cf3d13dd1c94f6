"""What no table can be: refused when its file is read, before anything is trained, with its key and what would do."""

import re

import pytest

from tenfold.errors import UsageError
from tenfold.recipe import Recipe
from tenfold.reproduce.protocol import overridden
from tenfold.reproduce.table import TableRequest, data_of, read_table, resolved, seeds_of, shipped

TABLE = """
title = "Digits"
tolerance = "0.5 points"
[protocol]
data = "digits"
epochs = 2
[[choices]]
field = "epochs"
why = "not printed"
[runs.plain]
[runs.deep]
settings = {model = "mlp", hidden = [16, 8], encoder_hidden = [32, 8]}
[runs.search]
settings = {vary = ["learning_rate=0.01,0.1", "l2=0,1e-4:1:log", "batch_size=32,64"], members = 4, metric = "macro_f1"}
[[cells]]
run = "plain"
reported = "95.00"
[[cells]]
run = "plain"
part = "running"
metric = "cost"
reported = "0.3"
[[cells]]
run = "plain"
metric = "recall"
label = 9
reported = "0.9"
[[cells]]
run = "search"
part = "validation"
metric = "macro_f1"
setting = {learning_rate = 0.1, batch_size = 64, l2 = 0}
reported = "0.9"
[[cells]]
run = "search"
part = "validation"
metric = "loss"
reported = "0.4"
[[cells]]
run = "search"
metric = "macro_recall"
reported = "0.9"
[[claims]]
text = "deep is better"
better = {run = "deep"}
than = {run = "plain"}
[[claims]]
text = "nines are hard"
lowest = [9]
of = ["plain", "deep"]
[[claims]]
text = "it diverges"
fails = "plain"
[[questions]]
about = "length"
ways = [{label = "once", set = {epochs = 1}}, {label = "step", set = {learning_rate = "/10", l2 = "×2"}}]
[[questions]]
about = "part"
ways = [{label = "of training images", part = "train"}]
[scales.full]
seeds = 2
[scales.tiny]
settings = {limit = 300}
"""
SEARCHED = (
    'run = "search"\npart = "validation"\nmetric = "macro_f1"\nsetting = {learning_rate = 0.1, batch_size = 64, l2 = 0}'
)
BEST = 'run = "search"\nmetric = "macro_recall"'
VARY = '["learning_rate=0.01,0.1", "l2=0,1e-4:1:log", "batch_size=32,64"]'
RECALL = 'metric = "recall"\nlabel = 9'
ONCE = "set = {epochs = 1}"

OF_A_SEARCH = [
    (SEARCHED, 'run = "search"\npart = "train"', "cells.3.part 'train': the search 'search' has validation or"),
    (SEARCHED, 'run = "search"\npart = "running"', "cells.3.part 'running'"),
    (BEST, BEST + "\nepoch = 1", "cells.5.epoch 1.0: the search 'search' has last"),
    (BEST, BEST + '\nepoch = "best"', "cells.5.epoch 'best'"),
    (BEST, f'run = "search"\n{RECALL}', "cells.5.metric 'recall'"),
    (
        BEST,
        'run = "search"\nmetric = "loss"',
        "cells.5.metric 'loss': the search 'search' has accuracy or macro_f1",
    ),
    (BEST, 'run = "search"\nmetric = "weight_disagreement"', "cells.5.metric 'weight_disagreement'"),
    (
        SEARCHED,
        'run = "search"\npart = "validation"',
        "cells.3.metric 'accuracy': the search 'search' has macro_f1 or",
    ),
    (SEARCHED, 'run = "search"\npart = "validation"\nmetric = "macro_recall"', "cells.3.metric 'macro_recall'"),
    (BEST, BEST + "\nsetting = {learning_rate = 0.1}", "cells.5.setting: only the best of a search is tested"),
    (
        "{learning_rate = 0.1, batch",
        "{learning_rat = 0.1, batch",
        "cells.3.setting: the run 'search' does not search 'lea",
    ),
    (
        "{learning_rate = 0.1, batch",
        "{learning_rate = 0.2, batch",
        "no member tries learning_rate 0.2: its values are 0.01, 0.1",
    ),
    ("64, l2 = 0}", "64, l2 = 0.01}", "cells.3.setting: no member tries l2 0.01"),
    (
        'run = "plain"\nreported',
        'run = "plain"\nsetting = {l2 = 0}\nreported',
        "cells.0.setting: the run 'plain' searches",
    ),
    ('better = {run = "deep"}', 'better = {run = "search", part = "train"}', "claims.0.better.part 'train'"),
    ('than = {run = "plain"}', 'than = {run = "plain", setting = {l2 = 0}}', "claims.0.than.setting"),
    (
        'than = {run = "plain"}',
        'than = {run = "plain"}\nbeside = [{run = "plain", part = "train"}, {run = "search", epoch = 1}]',
        "claims.0.beside.1.epoch 1.0",
    ),
    ('fails = "plain"', 'fails = "search"', "claims.2.fails: 'search' searches: name a run without vary"),
    ('of = ["plain", "deep"]', 'of = ["plain", "search"]', "claims.1.of: 'search' searches"),
    # What is searched at a scale is not what is searched at another.
    ("{limit = 300}", '{vary = ["l2=0,0.1"]}', "run 'plain', scale 'tiny': vary belongs to the settings of a run"),
]
CLAIMS = [
    ("lowest = [9]", "lowest = [9]\nhighest = [1]", "one of lowest, highest, below and above"),
    ("lowest = [9]", "lowest = []", "one of lowest, highest, below and above"),
    ('of = ["plain", "deep"]', "", "one of lowest, highest, below and above"),
    ('fails = "plain"', 'fails = "plain"\nbetter = {run = "deep"}', "claims.2: claim 'it diverges': give better and"),
    ('than = {run = "plain"}', "", "claims.0"),
    ("lowest = [9]", "lowest = [-1]", "claims.1.lowest.0: Input should be greater than or equal to 0"),
]
WAYS = [
    *(
        (ONCE, f"set = {{{name} = {value}}}", f"questions.0.ways.0.set: {name} belongs to the table")
        for name, value in {
            "kind": '"fit"',
            "seed": "1",
            "minutes": "1",
            "repeats": "2",
            "data": '"mnist"',
            "size": "8",
            "skip_unreadable": "true",
            "vary": '["l2=0,1"]',
        }.items()
    ),
    ('label = "of training images"', 'label = "once"', "two ways have the label: once"),
    ('label = "step"', 'label = "step + once"', "questions.0.ways.1.label: 'step + once'"),
    ('label = "step"', 'label = ""', "questions.0.ways.1.label"),
    (
        ONCE,
        'set = {nesterov = "×2"}',
        "nesterov: '×2' needs a number, and the value is False: give the new value itself",
    ),
    (ONCE, 'set = {model = "/100"}', "model: '/100' needs a number, and the value is 'linear'"),
    (ONCE, 'set = {hidden = "×2"}', "hidden: '×2' needs a number, and the value is (128,)"),
    (ONCE, 'set = {learning_rate = "/0"}', "' divides by 0"),
    (ONCE, 'set = {learning_rate = "/0.00"}', "' divides by 0"),
    (ONCE, 'set = {learning_rate = "×0"}', "learning_rate"),
    (ONCE, 'set = {epochs = "/3"}', "epochs"),
    (
        ONCE,
        "set = {learning_rate = [0.1, 0.2]}",
        "questions.0.ways.0.set: run 'plain', scale 'full': learning_rate [0.1",
    ),
    (ONCE, 'set = {flip = "photographs"}', "flip 'photographs': a table needs a number"),
    (ONCE, "set = {epochs = 1}, epoch = -1", "questions.0.ways.0.epoch: "),
    (ONCE, 'part = "running"', "questions.0.ways.0.part: running has no recall"),
]
NAMES = [
    *(
        ('title = "Digits"', f'title = "Digits"\nname = "{name}"', "name: String should match")
        for name in ("", ".", "..", "../x", "a/b", "/tmp/x", ".hidden", "a b", "é", "a" * 101)
    ),
    (
        'title = "Digits"',
        'title = "Digits"\nname = "mnist-mlp"',
        "the name 'mnist-mlp' is taken by a table of Tenfold: rename the file",
    ),
    ('title = "Digits"', 'title = "Digits"\nname = "MNIST-mlp"', "'MNIST-mlp' is taken by a table of Tenfold"),
]
SCALES = [
    ("[scales.full]\nseeds = 2\n[scales.tiny]\nsettings = {limit = 300}", "[scales]", "give [scales.full]"),
    ("[scales.full]\nseeds = 2", "", "scales: give [scales.full]"),
    ("[scales.tiny]", "[scales.tinny]", "scales.tinny"),
]
SETTINGS = [
    *(
        (VARY, vary, "run 'search', scale 'full': vary")
        for vary in ('"learning_rate=0.01,0.1"', "[]", "3", "[1, 2]", '["learning_rate"]', '["l2=0,1", "l2=2,3"]')
    ),
    (VARY, '["l2=0,1", "seed=1,2"]', "vary: seed belongs to the table"),
    (VARY, '["l2=0,1", "data=a,b"]', "vary: data belongs to the table"),
    (VARY, '["l2=0,1", "flip=photographs"]', "flip 'photographs'"),
    ("epochs = 2", "epochs = 2\nlearning_rate = [0.1, 0.2]", "learning_rate [0.1, 0.2]: a run has one value"),
    ("epochs = 2", "epochs = 2\nbatch_size = [10, 20]", "batch_size [10, 20]: a run has one value"),
    ("epochs = 2", 'epochs = 2\nflip = "photographs"', "flip 'photographs': a table needs a number: 0.5"),
    ("epochs = 2", 'epochs = 2\nflip = ["photographs"]', "flip 'photographs': a table needs a number: 0.5"),
    ("{limit = 300}", "{l2 = [0, 0.1]}", "scale 'tiny': l2 [0, 0.1]: a run has one value"),
    ("epochs = 2", 'epochs = 2\nvary = ["l2=0,1"]', "run 'plain', scale 'full': vary belongs to the settings of a run"),
]
MEASURES = [
    (RECALL, 'metric = "recall"', "cells.2: label: recall is of a class"),
    (RECALL, "label = 9", "cells.2: label: recall is of a class"),
    (RECALL, 'metric = "recall"\nlabel = -1', "cells.2.label: Input should be greater than or equal to 0"),
    *(
        (
            'metric = "cost"',
            f'metric = "{metric}"',
            f"cells.1: metric '{metric}': the part running has accuracy, loss, cost",
        )
        for metric in ("macro_f1", "macro_precision", "macro_recall", "weight_disagreement", "bias_disagreement")
    ),
    ('part = "running"\nmetric = "cost"', f'part = "running"\n{RECALL}', "cells.1: metric 'recall': the part running"),
    ('title = "Digits"', 'title = "Digits"\nnan_predicts = -1', "nan_predicts: Input should be greater"),
    ('part = "running"', "epoch = inf", "cells.1.epoch: "),
]
KEYS = [
    ('field = "epochs"', 'feild = "epochs"', "unknown key 'choices.0.feild': did you mean 'field'?"),
    ('title = "Digits"', 'titel = "Digits"', "unknown key 'titel': did you mean 'title'?"),
    ("[protocol]", "[protocl]", "unknown key 'protocl': did you mean 'protocol'?"),
    ('run = "plain"\nreported', 'rnu = "plain"\nreported', "unknown key 'cells.0.rnu': did you mean 'run'?"),
    ('reported = "95.00"', 'reportd = "95.00"', "unknown key 'cells.0.reportd': did you mean 'reported'?"),
    ('{label = "once"', '{lable = "once"', "unknown key 'questions.0.ways.0.lable': did you mean 'label'?"),
    ('than = {run = "plain"}', 'than = {runs = "plain"}', "unknown key 'claims.0.than.runs': did you mean 'run'?"),
    ('field = "epochs"\n', "", "choices.0.field is missing"),
    ('field = "epochs"\n', "zzz = 1\n", "choices.0.field is missing"),
    ('label = "once", ', "", "questions.0.ways.0.label is missing"),
    ('tolerance = "0.5 points"', 'tolerance = "-0.5 points"', "tolerance: '-0.5 points' is negative: give 0 or more"),
    ("[runs.plain]", '[runs."a\\nb"]\n[runs.plain]', r"runs.'a\nb': String should match"),
    ("title", f"x = {'9' * 5000}\ntitle", "not a readable TOML table"),
]
HOLES = [*OF_A_SEARCH, *CLAIMS, *WAYS, *NAMES, *SCALES, *SETTINGS, *MEASURES, *KEYS]


@pytest.fixture
def own(tmp_path):
    """The table, some of its text replaced, as a file."""

    def made(old="", new="", name="own.toml", text=TABLE):
        assert old in text
        path = tmp_path / name
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path

    return made


def test_the_table_without_a_hole_is_read(own):
    assert read_table(str(own())).name == "own"


@pytest.mark.parametrize(("old", "new", "told"), HOLES)
def test_what_cannot_be_is_refused_when_it_is_read(own, old, new, told):
    path = own(old, new)
    with pytest.raises(UsageError) as error:
        read_table(str(path))
    assert str(error.value).startswith(f"{path}: ")
    assert told in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[runs.plain]", '[runs.plain]\nsettings = {features = "patches"}', "run 'plain', scale 'full': flip: mirrors"),
        ("[runs.deep]", '[runs."a.b"]\nsettings = {features = "codes"}\n[runs.deep]', "run 'a.b', scale 'full'"),
        ("{limit = 300}", '{features = "patches"}', "run 'plain', scale 'tiny': flip: mirrors pixels"),
    ],
)
def test_a_way_must_be_one_for_every_run_at_every_scale(own, old, new, told):
    text = TABLE.replace(ONCE, "set = {flip = 0.5}")
    assert read_table(str(own(text=text))).questions
    with pytest.raises(UsageError, match=re.escape(f"questions.0.ways.0.set: {told}")):
        read_table(str(own(old, new, text=text)))


@pytest.mark.parametrize(
    ("stem", "name"),
    [("own table", "own-table"), ("..own", "own"), ("é", "table"), ("a;rm -rf", "a-rm--rf"), ("x" * 150, "x" * 100)],
)
def test_a_file_whose_name_is_no_folder_is_called_by_one(own, stem, name):
    assert read_table(str(own(name=f"{stem}.toml"))).name == name


def test_a_file_that_is_called_like_a_table_of_tenfold_is_refused_unless_it_is_that_one(own):
    theirs = shipped()["mnist-mlp"]
    assert read_table(str(theirs)) == read_table("mnist-mlp")
    for path in (own(name="mnist-mlp.toml"), own(name="Mnist-MLP.toml")):
        with pytest.raises(UsageError, match="rename the file, or give another name"):
            read_table(str(path))
    assert read_table(str(own("title", 'name = "mine"\ntitle', name="mnist-mlp.toml"))).name == "mine"


@pytest.mark.parametrize("seeds", [0, 3])
def test_a_scale_that_a_table_lacks_is_said_with_those_that_it_has(own, seeds):
    table = read_table(str(own()))
    assert len(seeds_of(TableRequest(table, "full", seeds), "plain")) == (seeds or 2)
    for use in (
        lambda: resolved(table, "plain", "quick"),
        lambda: seeds_of(TableRequest(table, "quick", seeds), "plain"),
    ):
        with pytest.raises(UsageError, match=re.escape("own has no scale 'quick': known: full, tiny")):
            use()


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("label = 9", "label = 10", "class 10"),
        ("lowest = [9]", "highest = [3, 11]", "class 11"),
        ('title = "Digits"', 'title = "Digits"\nnan_predicts = 10', "class 10"),
    ],
)
def test_classes_that_the_data_lack_are_said_before_anything_is_trained(own, old, new, told):
    assert len(data_of(read_table(str(own())), "").class_names) == 10
    with pytest.raises(UsageError, match=f"own names {told}: the classes of digits are 0 to 9"):
        data_of(read_table(str(own(old, new))), "")


def test_a_factor_keeps_what_is_a_number_one():
    assert overridden(Recipe(epochs=10), {"epochs": "/2"}).epochs == 5
    assert overridden(Recipe(hidden=(64,)), {"hidden": [32, 16]}).hidden == (32, 16)
    assert overridden(Recipe(), {"flip": 0.5}).flip == 0.5


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_table_of_tenfold_is_read(name):
    assert read_table(name).name == name
