"""Networks of images by name: `preset(image_shape, widths, depth) -> Body`, from the image to a row of features."""
