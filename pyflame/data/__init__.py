"""Small real data sets that ship with the package; sources in the README beside."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
from numpy.typing import NDArray


def load_digits() -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """The 1,797 hand-written digits of the UCI test set, in their published order.

    Returns:
        images f32[1797, 64], 8x8 pixels row by row, from 0 (paper) to 1 (ink), and
        labels i32[1797], 0 to 9.

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits",
    UCI Machine Learning Repository, 1998, doi:10.24432/C50P49 (CC BY 4.0).
    """
    with files(__name__).joinpath("digits.npz").open("rb") as file:
        with np.load(file, allow_pickle=False) as arrays:
            pixels, labels = arrays["images"], arrays["labels"]
    return pixels.astype(np.float32) / np.float32(16), labels.astype(np.int32)
