"""Saved files under random damage: the same value or a refusal, never another one."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pyflame as pf

VALUE = {
    "w": pf.tensor([[1.0, -2.0], [0.5, 3.0]]),
    "b": [pf.tensor([1.0, 2.0], dtype=pf.bfloat16), np.arange(3), 0.1, None],
    "name": ("layer", True),
}
SETTINGS = settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
MARKS = ["tensor", "jax", "numpy", "dict", "tuple", "float", "x"]
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.floats(),
    st.sampled_from(["nan", "a", *MARKS]),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(MARKS), inner, max_size=2),
    ),
    max_leaves=8,
)
HEADERS = st.tuples(
    st.sampled_from(["float32", "bool", "bfloat16", "int64", "object", "<f4"]),
    st.lists(st.sampled_from([0, 1, 2, 3, -1, 2**50, True, 1.0]), max_size=3),
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("fuzz") / "state"
    pf.save(VALUE, path)
    return path.read_bytes()


def _loaded(path: Path, data: bytes) -> Any:
    """What is loaded, as text; None if the file is refused."""
    path.write_bytes(data)
    try:
        return _text(pf.load(path))
    except pf.SavedFileError:
        return None


def _text(value: Any) -> Any:
    """Plain data that tells values, kinds and dtypes apart."""
    if isinstance(value, dict):
        return [(key, _text(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [type(value).__name__, *map(_text, value)]
    if hasattr(value, "shape"):
        array = np.asarray(value)
        kind = type(value).__name__
        return kind, array.dtype.name, list(array.shape), array.tobytes()
    assert value is None or type(value) in (bool, int, float, str)
    return repr(value)


@SETTINGS
@given(data=st.data())
def test_damaged_bytes(whole: bytes, tmp_path: Path, data: st.DataObject) -> None:
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(damaged)))
        end = min(len(damaged), start + data.draw(st.integers(0, 40)))
        chunk = bytes(damaged[start:end])
        damaged[start:end] = data.draw(
            st.sampled_from([b"", chunk * 2, chunk[::-1], bytes(len(chunk))])
            | st.binary(max_size=12)
        )
    assert _loaded(tmp_path / "state", bytes(damaged)) in (None, _text(VALUE))


@SETTINGS
@given(st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, data: bytes) -> None:
    assert _loaded(tmp_path / "state", data) is None
    assert _loaded(tmp_path / "state", b"PK\x03\x04" + data) is None


@SETTINGS
@given(
    tree=TREES,
    arrays=st.lists(HEADERS, max_size=2),
    sizes=st.lists(st.integers(0, 24), max_size=3),
)
def test_any_manifest(
    tmp_path: Path, tree: Any, arrays: list[Any], sizes: list[int]
) -> None:
    manifest = {"format": "pyflame", "version": 1, "arrays": arrays, "tree": tree}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest))
        for i, size in enumerate(sizes):
            archive.writestr(f"arrays/{i}", bytes(size))
    _loaded(tmp_path / "state", file.getvalue())
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
