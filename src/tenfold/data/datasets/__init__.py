"""Named data sets and the user's own: `load(source) -> Dataset`, the images as they came, nothing scaled or split."""
