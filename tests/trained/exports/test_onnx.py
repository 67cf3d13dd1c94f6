"""The ONNX file as its readers see it."""

import json

import numpy as np
import onnx
import onnxruntime

from tests.trained.exports.models import CLASSES, MODELS
from tests.trained.exports.test_laws import written


def test_the_file_is_whole_old_enough_and_says_what_it_takes(tmp_path):
    *_, place = written(MODELS["fast"](), "onnx", tmp_path)
    model = onnx.load(place)
    onnx.checker.check_model(model, full_check=True)
    assert [one.version for one in model.opset_import] == [13]
    assert model.ir_version <= 8
    session = onnxruntime.InferenceSession(str(place), providers=["CPUExecutionProvider"])
    (taken,), given = session.get_inputs(), session.get_outputs()
    assert (taken.name, taken.shape, taken.type) == ("images", ["batch", 3, 12, 12], "tensor(float)")
    assert [(one.name, one.shape[0]) for one in given] == [("probabilities", "batch"), ("label", "batch")]
    about = session.get_modelmeta().custom_metadata_map
    assert json.loads(about["class_names"]) == list(CLASSES)
    assert about["input"] == "pixels from 0 to 255, RGB"
    shares, labels = session.run(None, {"images": np.zeros((2, 3, 12, 12), np.float32)})
    assert labels.tolist() == shares.argmax(1).tolist()
