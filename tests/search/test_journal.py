"""Optuna's journal of a sweep: its own functions read it, writing again adds nothing, damage is mended."""

import pytest

from tenfold.errors import UsageError
from tenfold.search import study
from tenfold.search.axes import parse_axis
from tenfold.search.journal import journal
from tenfold.search.samplers.random import random

optuna = pytest.importorskip("optuna")

AXES = [parse_axis("learning_rate", "1e-4:1:log"), parse_axis("l2", "0,1e-4:1:log"), parse_axis("hidden", "64,64-32")]


def told(count):
    members = random(AXES, count, 0, 0, [])
    return [(member, None if i % 7 == 3 else member["learning_rate"] / 2) for i, member in enumerate(members)]


def studies(path):
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    return [
        optuna.load_study(study_name=s.study_name, storage=storage) for s in optuna.get_all_study_summaries(storage)
    ]


def test_optuna_reads_what_was_written(tmp_path):
    path, members = tmp_path / "journal.log", told(20)
    assert journal(path, AXES, members) == 20
    [found] = studies(path)
    assert found.study_name == "learning_rate 0.0001:1.0:log; l2 0.0,0.0001:1.0:log; hidden 64,64-32"
    assert [trial.value for trial in found.trials] == [score for _, score in members]
    for trial, (member, score) in zip(found.trials, members, strict=True):
        assert trial.state.name == ("FAIL" if score is None else "COMPLETE")
        assert trial.params["learning_rate"] == member["learning_rate"]
        assert trial.params.get("l2", 0.0) == member["l2"]
        assert trial.params["hidden"] == "-".join(map(str, member["hidden"]))
    best = max((score, i) for i, (_, score) in enumerate(members) if score is not None)
    assert (found.best_value, found.best_trial.user_attrs["member"]) == best
    assert set(optuna.importance.get_param_importances(found)) <= {"learning_rate", "l2", "l2 piece", "hidden"}


def test_writing_again_adds_only_what_is_new(tmp_path):
    path, members = tmp_path / "journal.log", told(20)
    assert journal(path, AXES, members[:12]) == 12
    before = path.read_bytes()
    assert journal(path, AXES, members[:12]) == 0
    assert path.read_bytes() == before
    assert journal(path, AXES, members) == 8
    assert path.read_bytes().startswith(before)
    assert [trial.user_attrs["member"] for trial in studies(path)[0].trials] == list(range(20))


@pytest.mark.parametrize("cut", [1, 30, -40])
def test_a_file_cut_by_a_kill_is_written_again(tmp_path, cut):
    path, members = tmp_path / "journal.log", told(10)
    journal(path, AXES, members)
    path.write_bytes(path.read_bytes()[:cut])
    journal(path, AXES, members)
    assert [trial.value for trial in studies(path)[0].trials] == [score for _, score in members]


def test_other_axes_are_another_study(tmp_path):
    path, members = tmp_path / "journal.log", told(10)
    journal(path, AXES, members)
    narrow = [AXES[0], parse_axis("l2", "0,1"), AXES[2]]
    kept = [i for i, (member, _) in enumerate(members) if member["l2"] == 0]
    assert 0 < len(kept) < 10
    assert journal(path, narrow, members) == len(kept)
    assert [trial.user_attrs["member"] for trial in studies(path)[1].trials] == kept


def test_without_optuna_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(study.PACKAGES, "optuna", None)
    with pytest.raises(UsageError, match=r"pip install 'tenfold\[sweep\]'"):
        journal(tmp_path / "journal.log", AXES, told(2))
