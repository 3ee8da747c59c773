"""<kernels/fft/fft3d_layout> against NumPy's FFT."""

import numpy as np
import pytest

from pyflame.wse.errors import CslError

LAYOUT = """
const memcpy = @import_module("<memcpy/get_params>",
  .{{ .width = {width}, .height = {width} }});
const fft = @import_module("<kernels/fft/fft3d_layout>",
  .{{ .width = {width}, .memcpy = memcpy }});
layout {{
  @set_rectangle({width}, {width});
  fft.FFT_kernel({width}, {n}, {type});
}}
"""
NORMS = ("backward", "ortho", "forward")


class Transform:
    """A loaded kernel of n^3 points on width^2 PEs."""

    def __init__(self, load_grid, width: int, n: int, dtype, arch: str) -> None:
        self.width, self.n, self.dtype = width, n, np.dtype(dtype)
        type_ = {"float32": "f32", "float16": "f16"}[self.dtype.name]
        layout = LAYOUT.format(width=width, n=n, type=type_)
        self.grid = load_grid(layout, "", arch)
        self.grid.wafer.start()

    def exported(self, x: int, y: int, name: str) -> int:
        return self.grid.wafer.symbol(x, y, name)[0]

    def tile(self, values: np.ndarray, x: int, y: int) -> np.ndarray:
        """PE (x, y)'s part of values[y, x, z]: its z planes, one after the other."""
        side = self.n // self.width
        part = values[y * side : (y + 1) * side, x * side : (x + 1) * side]
        return part.transpose(2, 0, 1)

    def places(self) -> list[tuple[int, int]]:
        return [(x, y) for x in range(self.width) for y in range(self.width)]

    def run(self, values: np.ndarray, name: str, *arguments: int) -> np.ndarray:
        angles = np.pi * np.arange(self.n // 2) / (self.n / 2)
        twiddles = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        wafer = self.grid.wafer
        for place in self.places():
            tile = self.tile(values, *place)
            parts = np.stack([tile.real, tile.imag], axis=-1)
            for symbol, data in (("X", parts), ("twiddle_array", twiddles)):
                raw = data.astype(self.dtype).tobytes()
                wafer.write_memory(*place, self.exported(*place, symbol), raw)
        wafer.run_until(wafer.launch(name, list(arguments)))
        return self.result()

    def result(self) -> np.ndarray:
        n, side = self.n, self.n // self.width
        result = np.zeros((n, n, n), complex)
        for x, y in self.places():
            size = 2 * side * side * n * self.dtype.itemsize
            address = self.exported(x, y, "X")
            raw = self.grid.wafer.read_memory(x, y, address, size)
            parts = np.frombuffer(raw, self.dtype).astype(float)
            self.tile(result, x, y)[...] = (parts[0::2] + 1j * parts[1::2]).reshape(
                n, side, side
            )
        return result


def points(n: int, dtype) -> np.ndarray:
    random = np.random.default_rng(n)
    parts = random.standard_normal((2, n, n, n)).astype(dtype).astype(float)
    return parts[0] + 1j * parts[1]


@pytest.mark.parametrize("arch", ["wse2", "wse3"])
@pytest.mark.parametrize(("width", "n"), [(1, 2), (1, 4), (2, 4), (4, 4), (2, 8)])
def test_forward(load_grid, arch: str, width: int, n: int) -> None:
    values = points(n, np.float32)
    found = Transform(load_grid, width, n, np.float32, arch).run(
        values, "csfftExecC2C", 0, 0
    )
    np.testing.assert_allclose(found, np.fft.fftn(values), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("norm", [0, 1, 2])
@pytest.mark.parametrize("inverse", [0, 1])
def test_norms_and_directions(load_grid, norm: int, inverse: int) -> None:
    values = points(4, np.float32)
    found = Transform(load_grid, 2, 4, np.float32, "wse3").run(
        values, "csfftExecC2C", norm, inverse
    )
    transform = np.fft.ifftn if inverse else np.fft.fftn
    expected = transform(values, norm=NORMS[norm])
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_half_precision(load_grid) -> None:
    values = points(8, np.float16)
    found = Transform(load_grid, 2, 8, np.float16, "wse3").run(
        values, "csfftExecC2C", 0, 0
    )
    expected = np.fft.fftn(values)
    assert np.max(np.abs(found - expected)) < 4e-3 * np.max(np.abs(expected))


def test_launches_follow_each_other(load_grid) -> None:
    """Real input forward, then back; the time is that of the last launch."""
    values = points(4, np.float32).real
    transform = Transform(load_grid, 4, 4, np.float32, "wse3")
    spectrum = transform.run(values, "csfftExecR2C", 1)
    np.testing.assert_allclose(
        spectrum, np.fft.fftn(values, norm="ortho"), rtol=1e-5, atol=1e-5
    )
    before = transform.grid.wafer.now
    again = transform.run(spectrum, "csfftExecC2R", 1)
    np.testing.assert_allclose(again, values, rtol=1e-5, atol=1e-5)
    wafer = transform.grid.wafer
    raw = wafer.read_memory(3, 3, transform.exported(3, 3, "fft_time"), 8)
    assert 0 < int.from_bytes(raw, "little") <= wafer.now - before


@pytest.mark.parametrize(
    ("width", "n", "message"),
    [
        (2, 6, "FFT_kernel: N must be a power of two"),
        (3, 8, "FFT_kernel: N must be a multiple of the width"),
    ],
)
def test_sizes_it_cannot_have(load_grid, width: int, n: int, message: str) -> None:
    with pytest.raises(CslError, match=message):
        load_grid(LAYOUT.format(width=width, n=n, type="f32"), "", "wse3")
