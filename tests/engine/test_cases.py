"""Every entry is under the laws of its room."""

import pytest

from tenfold.rooms import names
from tests.engine.cases import MODULES, ROOMS, declared


@pytest.mark.parametrize("entry", [(room, word) for room in (*ROOMS, *MODULES) for word in names(room)], ids="/".join)
def test_entry_declares_its_cases(entry):
    room, word = entry
    where = f"test_{word}.py" if room in ROOMS else f"test_{room}.py"
    assert declared(room, word), f"{room}/{word} is under no law: declare CASES in {where}"
