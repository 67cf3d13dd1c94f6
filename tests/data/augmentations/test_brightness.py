"""One number added to an image."""


def alone(images, stream, strength):
    draws = stream.uniform(-strength, strength, size=(len(images), 1, 1, 1))
    return images + draws.astype("float32")


CASES = {"alone": alone, "strength": 0.4}
