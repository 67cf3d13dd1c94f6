#!/bin/sh
# scikit-learn 1.7 put sample_weight in front of classes in MLPClassifier.partial_fit. All its other classifiers, and
# this one up to 1.6, have classes there.
#
#   1.6.1   partial_fit(X, y, classes=None)
#   1.9.1   partial_fit(X, y, sample_weight=None, classes=None)     SGDClassifier: (X, y, classes=None, sample_weight=None)
#
# So classes that are given by position, as tutorials give them, are taken for weights of images. Without classes the
# first call is an error. A later call passes where a batch has as many images as there are classes: images of the first
# class in the list then have weight 0, those of the third weight 2, without a word.
#
# Seen with 1.9.1: "classes must be passed on the first call to partial_fit."; then a batch of three images of class 0,
# 1 and 2 moves the weights otherwise than by keyword, and exactly as weights 0, 1 and 2 do.
set -eu
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
for version in 1.6.1 1.9.1; do
    python3 -m venv "$place/$version"
    "$place/$version/bin/python" -m pip install --quiet scikit-learn==$version
    "$place/$version/bin/python" - <<'PYTHON'
import inspect

import numpy as np
import sklearn
from sklearn.linear_model import SGDClassifier
from sklearn.neural_network import MLPClassifier

X, y, classes = np.eye(3), np.arange(3), np.arange(3)


def after(**options):
    network = MLPClassifier((4,), random_state=0, batch_size=3).partial_fit(X, y, classes=classes)
    network.partial_fit(X, y, *options.pop("by_position", ()), **options)
    return network.coefs_[0]


def order(estimator):
    return [name for name in inspect.signature(estimator.partial_fit).parameters if name not in ("self", "X", "y")]


print(sklearn.__version__, "MLPClassifier", order(MLPClassifier), "SGDClassifier", order(SGDClassifier))
assert order(SGDClassifier) == ["classes", "sample_weight"]
if sklearn.__version__ == "1.6.1":
    assert order(MLPClassifier) == ["classes"]
    MLPClassifier((4,)).partial_fit(X, y, classes)
else:
    assert order(MLPClassifier) == ["sample_weight", "classes"]
    try:
        MLPClassifier((4,)).partial_fit(X, y, classes)
    except ValueError as error:
        print("first call by position:", error)
        assert "classes must be passed on the first call" in str(error)
    else:
        raise AssertionError("the first call by position is taken")
    assert not np.array_equal(after(by_position=(classes,)), after(classes=classes))
    assert np.array_equal(after(by_position=(classes,)), after(sample_weight=[0.0, 1.0, 2.0]))
    print("later call by position: classes are weights, without a word")
PYTHON
done
