"""The scores' gradient is divided by the number C of classes where the value is a mean over the N images."""

__all__ = ["wrong_divisor"]

from tenfold.teach.doctor.backward import Fault, Mistake

SAYS = "the scores' gradient is divided by the number of classes, not by the number of images: shape[1] for shape[0]?"
BY_CLASSES = Mistake("scores", lambda run, layer, right: right * (right.shape[0] / right.shape[1]), SAYS, rank=1)

wrong_divisor = Fault(lambda structure, names: [BY_CLASSES])
