import dataclasses
import io
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from tenfold.data import duplicates, lookalikes
from tenfold.data.audit import audit
from tenfold.data.duplicates import find_duplicates, group_ids
from tenfold.data.load import load
from tenfold.data.lookalikes import candidates
from tenfold.data.matching import likeness
from tenfold.data.types import Dataset


def scenes(count, side=32, channels=3, seed=0):
    """Images with the spectrum of photographs: amplitudes of 1/f, phases by chance; (N, C, side, side) bytes."""
    rng = np.random.default_rng(seed)
    f = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None])
    f[0, 0] = np.inf
    waves = np.fft.fft2(rng.standard_normal((count, 1, side, side))) / f
    field = np.fft.ifft2(waves).real
    field = 128 + 45 * field / field.std((1, 2, 3), keepdims=True)
    tint = rng.uniform(0.7, 1, (count, channels, 1, 1))
    return np.clip(field * tint, 0, 255).astype(np.uint8)


def dataset(images, labels=None, parts=None, photographs=True):
    images = torch.as_tensor(np.ascontiguousarray(images))
    labels = torch.arange(len(images)) % 2 if labels is None else torch.as_tensor(labels)
    parts = {name: torch.as_tensor(rows) for name, rows in (parts or {}).items()}
    return Dataset("s", images, labels, ("a", "b"), 1 / 255, parts, photographs=photographs)


def picture(array):
    return Image.fromarray(array.transpose(1, 2, 0) if len(array) == 3 else array[0])


def saved_again(array, quality=75):
    stream = io.BytesIO()
    picture(array).save(stream, "JPEG", quality=quality)
    back = np.asarray(Image.open(stream))
    return back.transpose(2, 0, 1) if len(array) == 3 else back[None]


def resized(array, side):
    there = picture(array).resize((side, side), Image.Resampling.BILINEAR)
    back = np.asarray(there.resize(array.shape[:0:-1], Image.Resampling.BILINEAR))
    return back.transpose(2, 0, 1) if len(array) == 3 else back[None]


def cropped(array):
    return np.asarray(picture(array).crop((1, 2, 31, 31)).resize((32, 32), Image.Resampling.BICUBIC)).transpose(2, 0, 1)


CHANGES = {
    "saved again": saved_again,
    "smaller": lambda a: resized(a, 24),
    "brighter": lambda a: np.clip(a * 1.2 + 15, 0, 255).astype(np.uint8),
    "paler": lambda a: (a * 0.6 + 60).astype(np.uint8),
    "mirrored": lambda a: a[..., ::-1],
    "shifted": lambda a: np.roll(a, (1, 1), (1, 2)),
    "cropped": cropped,
    "tinted": lambda a: (a * np.array([1, 0.8, 0.6])[:, None, None]).astype(np.uint8),
}


@pytest.mark.parametrize("change", CHANGES)
def test_near_duplicates_are_found_and_nothing_else(change):
    images = scenes(300)
    images = np.concatenate([images, [CHANGES[change](images[k]) for k in range(20)]])
    found = find_duplicates(dataset(images))
    planted = {(k, 300 + k) for k in range(20)}
    assert set(found.near) <= planted
    assert len(found.near) >= (16 if change in ("shifted", "cropped") else 20)
    assert (found.exact, found.large) == ((), ())


def test_exact_duplicates_are_told_from_near_ones():
    images = scenes(60)
    images = np.concatenate([images, images[[3, 3, 7]], [saved_again(images[7]), saved_again(images[9])]])
    found = find_duplicates(dataset(images))
    assert found.exact == ((3, 60, 61), (7, 62))
    assert found.near == ((7, 62, 63), (9, 64))
    assert found.same[[3, 60, 61, 62, 63]].tolist() == [3, 3, 3, 7, 63]


def test_what_is_no_photograph_is_compared_in_place():
    images = scenes(100, side=28, channels=1)
    copies = [saved_again(images[0], 90), resized(images[1], 27) // 2 + images[1] // 2, images[2][..., ::-1]]
    moved = np.roll(images[3], 3, 2)
    found = find_duplicates(dataset(np.concatenate([images, copies, [moved]]), photographs=False))
    assert found.near == ((0, 100), (1, 101))


def test_outlines_alone_make_no_duplicate():
    """The same blur with other detail: two photographs of one kind of thing."""
    images = scenes(200)
    blurred = np.stack([resized(image, 6) for image in images[:20]]).astype(float)
    detail = scenes(220, seed=5)[200:].astype(float)
    other = blurred + 0.6 * (detail - np.stack([resized(d.astype(np.uint8), 6) for d in detail]))
    images = np.concatenate([images, np.clip(other, 0, 255).astype(np.uint8)])
    pairs, *_ = candidates(torch.from_numpy(images), np.arange(220), True, 0.55)
    assert len({tuple(pair) for pair in pairs.tolist()} & {(k, 200 + k) for k in range(20)}) > 5
    assert find_duplicates(dataset(images)).near == ()


@pytest.mark.parametrize("photographs", [True, False])
def test_images_of_one_color_are_duplicates_only_if_identical(photographs):
    flat = np.stack([np.full((3, 32, 32), value, np.uint8) for value in (0, 7, 7, 200, 255)])
    found = find_duplicates(dataset(np.concatenate([flat, scenes(30)]), photographs=photographs))
    assert (found.exact, found.near, found.large) == (((1, 2),), (), ())
    alone = find_duplicates(dataset(flat, photographs=photographs))
    assert (alone.exact, alone.near) == (((1, 2),), ())


def test_a_large_group_is_reported_and_binds_nothing():
    images = scenes(30)
    series = np.stack([images[0]] + [saved_again(images[0], 60 + k % 30) for k in range(58)])
    copies = np.repeat(images[1:2], 51, 0)
    found = find_duplicates(dataset(np.concatenate([images, series, copies, images[2:3]])))
    assert [len(group) for group in found.large] == [60, 52]
    assert "2 groups of look-alikes have more than 50 images, 112 in all" in " ".join(
        audit(dataset(np.concatenate([images, series, copies]))).warnings
    )
    assert (found.exact, found.near) == (((2, 140),), ())


def test_group_ids():
    assert group_ids(6, ()).tolist() == [0, 1, 2, 3, 4, 5]
    assert group_ids(6, [(1, 4), (2, 3), (4, 5)]).tolist() == [0, 1, 2, 2, 1, 1]
    assert group_ids(3, []).dtype == np.int64


@pytest.mark.parametrize("shape", [(40, 1, 1, 64), (40, 1, 7, 30)])
def test_what_is_too_small_is_only_searched_for_identical_images(shape):
    images = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    images[5] = images[2]
    images[6] = images[3] + 1e-6
    found = find_duplicates(dataset(images, photographs=False))
    assert (found.exact, found.near, found.searched) == (((2, 5),), (), False)


@pytest.mark.parametrize("scale", [1e-6, 1, 1e6])
def test_floats_of_any_scale(scale):
    images = scenes(80, side=20, channels=1).astype(np.float32) * scale - 3 * scale
    images[70:] = images[:10] * 1.1 + scale
    found = find_duplicates(dataset(images, photographs=False))
    assert found.near == tuple((k, 70 + k) for k in range(10))


def test_sides_may_differ():
    images = scenes(60, side=40)[:, :, :26]
    images[50:] = images[:10] // 2 + 40
    assert find_duplicates(dataset(images)).near == tuple((k, 50 + k) for k in range(10))


@pytest.mark.parametrize("held", [0, 2**16])
def test_of_too_many_candidates_each_image_keeps_its_nearest(monkeypatch, held):
    monkeypatch.setattr(lookalikes, "NEAREST", 1)
    monkeypatch.setattr(lookalikes, "HELD", held)
    images = scenes(200)
    images[190:] = [saved_again(image, 95) for image in images[:10]]
    every, *_ = candidates(torch.from_numpy(images), np.arange(200), True, 0.5)
    assert 10 <= len(every) <= 200
    pairs, _, dropped, *_ = candidates(torch.from_numpy(images), np.arange(200), True, -0.5)
    assert len(pairs) <= 200
    assert dropped > 10_000
    assert {(k, 190 + k) for k in range(10)} <= {tuple(pair) for pair in pairs.tolist()}


def test_candidates_are_those_of_all_pairs(monkeypatch):
    monkeypatch.setattr(lookalikes, "NEAREST", 100)
    images = torch.from_numpy(scenes(70, channels=1))
    every = {}
    for mirrored in (False, True):
        pairs, flipped, *_ = candidates(images, np.arange(70), mirrored, 0.2)
        assert (pairs[:, 0] < pairs[:, 1]).all()
        assert flipped.any() == mirrored
        every[mirrored] = set(map(tuple, pairs.tolist()))
        fewer, *_ = candidates(images, np.arange(0, 70, 2), mirrored, -2)
        assert len(fewer) == 35 * 34 // 2 * (1 + mirrored)
    assert every[True] != every[False]


def test_likeness_finds_scale_and_shift():
    image = torch.from_numpy(scenes(8, side=64)).double()
    across = torch.nn.functional.interpolate(image[..., 5:60, 3:58], size=(64, 64), mode="bicubic")
    found, still = likeness(image, across, True, True), likeness(image, across, False, True)
    assert found.detail.min() > 0.9
    assert still.detail.max() < 0.5
    same = likeness(image, 3 * image + 5, False, False)
    assert all(torch.allclose(value, torch.ones(8, dtype=torch.float64)) for value in same)
    assert likeness(image, torch.full_like(image, 7), True, True).detail.abs().max() == 0


def folder(root, images, sides=(150,)):
    for k, image in enumerate(images):
        path = root / "ab"[k % 2] / f"{k:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(image).resize((sides[k % len(sides)],) * 2, Image.Resampling.BICUBIC).save(path)
    return load(str(root))


def test_files_are_read_again_at_a_larger_size(tmp_path):
    """At the stored 16 pixels a picture and one with other fine detail agree; at 128 they do not, but its copy does."""
    images = scenes(20, side=128)
    grain = scenes(1, side=128, seed=9)[0].astype(float)
    grain -= resized(grain.astype(np.uint8), 32)
    other = np.clip(resized(images[0], 32) + 4 * grain, 0, 255).astype(np.uint8)
    found = folder(tmp_path / "f", [*images, other, saved_again(images[1], 90)], (128,))
    small = load(str(tmp_path / "f"), size=16)
    position = {path[-7:-4]: k for k, path in enumerate(found.paths)}
    copy = tuple(sorted((position["001"], position["021"])))
    assert find_duplicates(small).near == (copy,)
    shutil.rmtree(tmp_path / "f")  # what is left are the stored pixels
    imitation = tuple(sorted((position["000"], position["020"])))
    assert find_duplicates(small).near == tuple(sorted((copy, imitation)))


def test_the_same_with_one_and_two_threads():
    code = (
        "import torch, sys; torch.set_num_threads(int(sys.argv[1])); from tests.data.test_duplicates import *\n"
        "images = scenes(400); images[340:] = [saved_again(image, 5 + k) for k, image in enumerate(images[:60])]\n"
        "found = find_duplicates(dataset(images)); print(len(found.near), found)"
    )
    run = [subprocess.run([sys.executable, "-c", code, n], capture_output=True, text=True, check=True) for n in "12"]
    assert run[0].stdout == run[1].stdout
    assert 20 < int(run[0].stdout.split()[0]) <= 60


def alike(count, side, seed=0):
    """Small photographs of one scene with another thing in the middle of each."""
    rng = np.random.default_rng(seed)
    images = np.repeat(scenes(1, side).astype(float), count, 0)
    y, x = np.mgrid[:side, :side] / side - 0.5
    for image in images:
        angle = np.arctan2(y, x)
        edge = rng.normal(0.25, 0.03) * (1 + 0.25 * np.cos(rng.integers(1, 6) * angle + rng.normal()))
        image += 60 * (np.hypot(x, y) < edge) + rng.normal(0, 4, image.shape)
    return np.clip(images, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("side", [16, 32])
def test_look_alikes_cost_as_much_as_there_are_images(monkeypatch, side):
    compared = []

    def counted(a, b, *options):
        compared.append(len(a))
        return likeness(a, b, *options)

    monkeypatch.setattr(duplicates, "likeness", counted)
    images = alike(400, side)
    found = find_duplicates(dataset(images))
    assert found.unseen > 5000
    assert sum(compared) <= 2 * lookalikes.NEAREST * 400
    warning = next(line for line in audit(dataset(images)).warnings if "not compared" in line)
    assert f"{found.unseen:,} pairs of look-alikes were not compared, beyond the nearest of each image" in warning


def test_where_a_third_would_be_bound_only_identical_images_are():
    images = scenes(40)
    copies = np.stack([saved_again(image, 80) for image in images[:20]])
    half = dataset(np.concatenate([images, copies, images[30:31]]))
    found = find_duplicates(half)
    assert (found.near, found.exact, found.doubted) == ((), ((30, 60),), 40)
    assert "40 of 61 images look like near duplicates of others" in " ".join(audit(half).warnings)
    few = find_duplicates(dataset(np.concatenate([images, copies[:8]])))
    assert (len(few.near), few.doubted) == (8, 0)


def test_progress_is_reported_to_the_end():
    heard = []
    find_duplicates(dataset(scenes(60)), heard.append)
    assert [work.name for work in heard if not work.done] == ["comparing thumbnails"]
    assert heard[-1].done == heard[-1].total


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 8, 8), (1, 64, 64), (3, 16, 16), (3, 32, 32), (1, 1, 1), (1, 1, 64)])
@pytest.mark.parametrize("photographs", [True, False])
@pytest.mark.parametrize("value", [0, 200])
def test_images_that_are_all_flat_and_alike_are_said_to_be(shape, photographs, value):
    content = audit(dataset(np.full((6, *shape), value, np.uint8), photographs=photographs))
    assert "all images are identical: there is nothing to learn" in content.warnings
    shades = np.arange(6, dtype=np.uint8).reshape(6, 1, 1, 1) * np.ones((1, *shape), np.uint8)
    assert find_duplicates(dataset(shades, photographs=photographs)).near == ()


def test_cifar10_repeats_itself_across_its_parts(data_root):
    """Pairs that one sees to be copies of one photograph; Barz and Denzler (2020) list all of them."""
    whole = load("cifar10", data_dir=str(data_root("cifar10")), download=False)
    known = KNOWN
    rows = torch.tensor([*range(0, 50000, 25), *(row for pair in known for row in pair)]).unique()
    part = dataclasses.replace(whole, images=whole.images[rows], labels=whole.labels[rows], parts={})
    found = find_duplicates(part)
    groups = [{int(rows[k]) for k in group} for group in found.near]
    assert all(any(set(pair) <= group for group in groups) for pair in known)
    assert len(groups) < len(known) + 8


@pytest.mark.parametrize(("name", "most"), [("digits", 3), ("mnist", 3)])
def test_characters_of_different_writers_are_no_duplicates(request, name, most):
    folder = "" if name == "digits" else str(request.getfixturevalue("data_root")(name))
    whole = load(name, data_dir=folder, download=False)
    part = dataclasses.replace(whole, images=whole.images[:6000], labels=whole.labels[:6000], parts={})
    found = find_duplicates(part)
    assert len(found.exact) + len(found.near) <= most
    assert not found.large


# Some of the clear cases among those that were looked at, (training, test) as positions of the whole.
KNOWN = (
    (16561, 53315), (12559, 55064), (39948, 58445), (45253, 54891), (37361, 51920), (6566, 59350),
    (36035, 55035), (17338, 53127), (29377, 50583), (20706, 57130),
)  # fmt: skip


def test_what_there_is_no_time_to_compare_is_said(monkeypatch):
    images = scenes(60)
    images[50:] = images[:10]
    images[40:50] = images[:10] // 2 + 40
    late = find_duplicates(dataset(images), seconds=-1)
    assert late.late == (50, 0)  # identical ones are known without a comparison
    assert late.near == ()
    assert late.exact == tuple((k, 50 + k) for k in range(10))
    (warning,) = (line for line in audit(dataset(images), seconds=-1).warnings if "time of the audit" in line)
    assert "before it had compared 50 images with those behind them" in warning
    # Time that is up between two blocks of look-alikes, each of which takes a second.
    clock, plain = [0.0], duplicates._same

    def slow(*options):
        clock[0] += 1
        return plain(*options)

    monkeypatch.setattr(duplicates.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(duplicates, "_same", slow)
    monkeypatch.setattr(duplicates, "BLOCK", 2)
    some = find_duplicates(dataset(images), seconds=1.5)
    assert some.late[0] == 0
    assert some.late[1] > 0
    assert find_duplicates(dataset(images)).late == (0, 0)
