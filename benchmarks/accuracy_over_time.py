"""CIFAR-10 from scratch, the same cores, the same minutes: test accuracy against time of Tenfold and what else one has.

    python benchmarks/accuracy_over_time.py --minutes 10 --only keras      # one contestant, a process of its own
    python benchmarks/accuracy_over_time.py --draw docs/accuracy.png       # the figure, of all that were run

Tenfold plans for its minutes: each of its points is a run of its own, `tenfold fit cifar10 --minutes m`, from start to
report. The others train until the time is up and are tested after every epoch, which is not counted. They are written
as their tutorials write them: Keras' small network with dropout and Adam, a ResNet-18 (3 × 3 stem) in torch with crops,
flips, SGD and a one-cycle rate over the epochs that fit, scikit-learn's MLPClassifier on standardized pixels.

keras==3.15.1 is not among the project's packages: install it into an environment of your own.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import tenfold

KEPT = Path(__file__).with_suffix(".json")
OURS = "tenfold fit"
Point = tuple[float, float]


def arrays() -> list[np.ndarray]:
    """Training images and labels, test images and labels; images (N, 3, 32, 32) from 0 to 1."""
    dataset = tenfold.load("cifar10")
    rows = [dataset.parts[part] for part in ("train", "test")]
    return [array.numpy() for part in rows for array in (dataset.images[part].float() / 255, dataset.labels[part])]


def keras_network(seconds: float) -> Iterator[Point]:
    os.environ["KERAS_BACKEND"] = "torch"
    import keras

    x, y, tested, labels = arrays()
    x, tested = (np.ascontiguousarray(images.transpose(0, 2, 3, 1)) for images in (x, tested))
    convolution = {"padding": "same", "activation": "relu"}
    network = keras.Sequential([keras.Input((32, 32, 3))])
    for width in (32, 64):
        for layer in (
            keras.layers.Conv2D(width, 3, **convolution),
            keras.layers.Conv2D(width, 3, **convolution),
            keras.layers.MaxPooling2D(),
            keras.layers.Dropout(0.25),
        ):
            network.add(layer)
    for layer in (
        keras.layers.Flatten(),
        keras.layers.Dense(512, activation="relu"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(10, activation="softmax"),
    ):
        network.add(layer)
    network.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    yield from measured_epochs(
        seconds,
        lambda: network.fit(x, y, batch_size=128, epochs=1, verbose=0),
        lambda: float(network.evaluate(tested, labels, batch_size=500, verbose=0)[1]),
    )


class Residual(nn.Module):
    """Two convolutions with normalization, added to their input."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        same = inputs == outputs and stride == 1
        short = [nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)]
        self.short = nn.Identity() if same else nn.Sequential(*short)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.relu(self.body(x) + self.short(x))


def resnet18() -> nn.Module:
    blocks, inputs = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()], 64
    for outputs in (64, 128, 256, 512):
        blocks += [Residual(inputs, outputs, 1 if outputs == 64 else 2), Residual(outputs, outputs, 1)]
        inputs = outputs
    return nn.Sequential(*blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def torch_resnet(seconds: float) -> Iterator[Point]:
    x, y, tested, labels = (torch.from_numpy(array) for array in arrays())
    model = resnet18()
    mean, deviation = x.mean((0, 2, 3), keepdim=True), x.std((0, 2, 3), keepdim=True)
    x, tested = (x - mean) / deviation, (tested - mean) / deviation
    batches = len(x) // 128
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)

    def step(rows: torch.Tensor) -> None:
        images = functional.pad(x[rows], (4, 4, 4, 4))
        down, right = torch.randint(0, 9, (2,)).tolist()
        images = images[..., down : down + 32, right : right + 32]
        images = torch.where((torch.rand(len(rows)) < 0.5)[:, None, None, None], images.flip(-1), images)
        optimizer.zero_grad()
        functional.cross_entropy(model(images), y[rows]).backward()
        optimizer.step()

    start = time.perf_counter()  # how many epochs fit, by the pace of some steps
    model.train()
    for rows in torch.randperm(len(x)).split(128)[:5]:
        step(rows)
    epochs = max(1, int(seconds / ((time.perf_counter() - start) / 5 * batches)))
    plan = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=epochs * (batches + 1))

    def epoch() -> None:
        model.train()
        for rows in torch.randperm(len(x)).split(128):
            step(rows)
            plan.step()

    def accuracy() -> float:
        model.eval()
        with torch.no_grad():
            hits = [(model(a).argmax(1) == b).sum() for a, b in zip(tested.split(500), labels.split(500), strict=True)]
        return float(sum(hits)) / len(labels)

    yield from measured_epochs(seconds, epoch, accuracy, epochs)


def scikit_learn(seconds: float) -> Iterator[Point]:
    from sklearn.neural_network import MLPClassifier

    x, y, tested, labels = arrays()
    x, tested = (images.reshape(len(images), -1) for images in (x, tested))
    mean, deviation = x.mean(0), x.std(0)
    x, tested = (x - mean) / deviation, (tested - mean) / deviation
    network = MLPClassifier((256,), batch_size=128)
    yield from measured_epochs(
        seconds, lambda: network.partial_fit(x, y, classes=np.arange(10)), lambda: float(network.score(tested, labels))
    )


def ours(seconds: float) -> Iterator[Point]:
    for minutes in (1.0, 3.0, seconds / 60):
        start = time.perf_counter()
        command = [sys.executable, "-m", "tenfold", "fit", "cifar10", "--minutes", str(minutes), "--json"]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        yield time.perf_counter() - start, json.loads(printed.splitlines()[-1])["test"]["accuracy"]


def measured_epochs(
    seconds: float, epoch: Callable[[], object], accuracy: Callable[[], float], epochs: int = 10**6
) -> Iterator[Point]:
    """Train epoch after epoch; yield the seconds of training so far, and the test accuracy."""
    spent = 0.0
    for _ in range(epochs):
        start = time.perf_counter()
        epoch()
        spent += time.perf_counter() - start
        yield spent, accuracy()
        if spent >= seconds:
            return


CONTESTANTS = {OURS: ours, "keras": keras_network, "torch ResNet-18": torch_resnet, "scikit-learn MLP": scikit_learn}


def kept() -> dict[str, list[Point]]:
    return json.loads(KEPT.read_text()) if KEPT.exists() else {}


def draw(path: Path) -> None:
    """Draw what was measured."""
    from matplotlib import pyplot

    figure, panel = pyplot.subplots(figsize=(8, 4.5), layout="constrained")
    for (name, points), color in zip(kept().items(), ("#0072B2", "#D55E00", "#009E73", "#CC79A7"), strict=False):
        minutes, accuracy = [0.0, *(s / 60 for s, _ in points)], [10.0, *(100 * a for _, a in points)]
        mine = name == OURS
        panel.plot(minutes[mine:], accuracy[mine:], "o" * mine + "-", color=color, linewidth=2.4 if mine else 1.6)
        panel.annotate(
            f"{name} {accuracy[-1]:.1f} %",
            (minutes[-1], accuracy[-1]),
            (6, -3),
            textcoords="offset points",
            color=color,
        )
    panel.set(xlabel="minutes of training", ylabel="test accuracy in percent", xlim=(0, None), ylim=(10, 100))
    panel.grid(color="#E4E4E4", linewidth=0.6)
    panel.spines[["top", "right"]].set_visible(False)
    panel.set_xlim(0, 1.32 * panel.get_xlim()[1])
    figure.savefig(path, dpi=144)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--only", choices=CONTESTANTS)
    parser.add_argument("--draw", type=Path)
    asked = parser.parse_args()
    if asked.draw:
        return draw(asked.draw)
    for name in [asked.only] if asked.only else CONTESTANTS:
        points = []
        for point in CONTESTANTS[name](60 * asked.minutes):
            points.append(point)
            print(f"{name}: {point[0]:.0f} s, {100 * point[1]:.2f} %", flush=True)
            KEPT.write_text(json.dumps({**kept(), name: points}, indent=1))
    return None


if __name__ == "__main__":
    main()
