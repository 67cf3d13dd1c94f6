"""Codes of an autoencoder: the activations of the narrowest layer of a network that learned to reconstruct its inputs.

It is fully connected, learns from the training images without their labels, and is told of in autoencoding.py.
"""

__all__ = ["codes"]

from tenfold.data.autoencoding import encoded, learn
from tenfold.data.types import Feature

codes = Feature(learn, encoded)
