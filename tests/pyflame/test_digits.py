"""The shipped digits are the published ones."""

import hashlib

import numpy as np

from pyflame.data import load_digits


def test_shapes_types_and_range() -> None:
    images, labels = load_digits()
    assert images.shape == (1797, 64)
    assert images.dtype == np.float32
    assert labels.shape == (1797,)
    assert labels.dtype == np.int32
    assert images.min() == 0
    assert images.max() == 1


def test_class_counts_are_those_of_the_source() -> None:
    _, labels = load_digits()
    assert np.bincount(labels).tolist() == [
        178, 182, 177, 183, 181, 182, 181, 179, 174, 180,
    ]  # fmt: skip


def test_the_first_image_is_a_zero() -> None:
    images, labels = load_digits()
    assert labels[0] == 0
    assert (images[0].reshape(8, 8)[0] * 16).tolist() == [0, 0, 5, 13, 9, 1, 0, 0]


def test_no_value_has_changed() -> None:
    images, labels = load_digits()
    pixels = (images * 16).astype(np.uint8)
    digest = hashlib.sha256(pixels.tobytes() + labels.astype(np.uint8).tobytes())
    assert digest.hexdigest() == (
        "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"
    )
