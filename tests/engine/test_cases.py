"""Every entry is under the laws of its room."""

import inspect

import pytest

from tenfold import recipe
from tenfold.recipe import FACTS, Recipe
from tenfold.rooms import Hyperparameter, beside, declared, find, names, numbers, words
from tests.engine.cases import MODULES, ROOMS
from tests.engine.cases import declared as cases_of


@pytest.mark.parametrize("entry", [(room, word) for room in (*ROOMS, *MODULES) for word in names(room)], ids="/".join)
def test_entry_declares_its_cases(entry):
    room, word = entry
    where = f"test_{word}.py" if room in ROOMS else f"test_{room}.py"
    assert cases_of(room, word), f"{room}/{word} is under no law: declare CASES in {where}"


NUMBERED = [(room, word) for room in ("losses", "optimizers", "schedules") for word in names(room)]


@pytest.mark.parametrize("entry", NUMBERED, ids="/".join)
def test_declared_numbers_are_arguments_and_fields(entry):
    room, word = entry
    arguments = inspect.signature(find(room, word)).parameters
    for number in numbers(room, word):
        assert arguments[number.name].default == number.default == getattr(Recipe(), number.name)
        assert FACTS[number.name].varies == number.varies == ("Tensor" in str(arguments[number.name].annotation))
        assert word in Recipe.model_fields[number.name].description.partition(":")[0].split(", ")


@pytest.mark.parametrize("word", words("models"))
def test_a_model_reads_the_fields_that_it_declares(word):
    read = set()

    class Reading:
        def __getattr__(self, name):
            read.add(name)
            return getattr(Recipe(), name)

    model = beside("models", word, "built")(Reading(), (1, 4, 4), 3)
    own = {number.name for number in numbers("models", word)}
    assert read - {"precision"} == {*declared("models", word, "USES", ()), *own}
    assert model.classes == 3
    assert model.describe()


def test_what_is_declared_is_what_the_file_holds():
    for room, word in NUMBERED:
        assert numbers(room, word) == getattr(inspect.getmodule(find(room, word)), "NUMBERS", ())


def test_entries_that_share_a_number_declare_it_alike(monkeypatch):
    of_word = {"sgd": Hyperparameter("momentum", 0.0, "kept"), "adam": Hyperparameter("momentum", 0.9, "kept")}
    monkeypatch.setattr(recipe, "numbers", lambda room, word: (of_word[word],) if word in of_word else ())
    with pytest.raises(ValueError, match="adam and sgd declare momentum differently"):
        list(recipe._declared("optimizers"))
