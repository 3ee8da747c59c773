"""Saved state: what comes back, and what damaged or hostile files do."""

import json
import math
import os
import re
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pyflame as pf
from pyflame import saving, staging


def round_trip(value: Any, tmp_path: Path) -> Any:
    pf.save(value, tmp_path / "state")
    return pf.load(tmp_path / "state")


def manifest(**changes: Any) -> dict[str, Any]:
    entry = {"format": "pyflame", "version": 1, "arrays": [], "tree": None}
    return {**entry, **changes}


def write_zip(path: Path, members: dict[str, bytes | str], **options: Any) -> Path:
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def refusal(path: Path) -> str:
    with pytest.raises(pf.SavedFileError) as caught:
        pf.load(path)
    lines = str(caught.value).splitlines()
    assert lines[1] == "  rule  pf.load reads what pf.save wrote, whole and unchanged"
    prefix = f"load: {path} is no complete PyFlame file: "
    assert lines[0].startswith(prefix)
    return lines[0].removeprefix(prefix)


# --- what comes back -----------------------------------------------------------------


def test_nested_values_come_back_equal(tmp_path: Path) -> None:
    value = {
        "a": [1, 2.5, "three", None, True, -(10**30)],
        7: {"b": (), "": (1, [2, (3,)])},
        "tiny": [5e-324, 0.1, -0.0, 1.7976931348623157e308],
        "ünï\u0000": {},
    }
    back = round_trip(value, tmp_path)
    assert back == value
    assert repr(back) == repr(value)  # True stays True, -0.0 keeps its sign
    assert round_trip(OrderedDict(x=1), tmp_path) == {"x": 1}


def test_numbers_that_json_has_not(tmp_path: Path) -> None:
    nan, *others = round_trip([math.nan, math.inf, -math.inf], tmp_path)
    assert math.isnan(nan)
    assert others == [math.inf, -math.inf]


@pytest.mark.parametrize("dtype", list(pf.DType), ids=str)
def test_tensors_of_every_dtype_come_back_bit_for_bit(
    dtype: pf.DType, tmp_path: Path
) -> None:
    x = pf.tensor([[0, 1, 0], [1, 1, 0]], dtype=dtype)
    back = round_trip({"x": x}, tmp_path)["x"]
    assert isinstance(back, pf.Tensor)
    assert back.dtype is dtype
    assert back.shape == [2, 3]
    assert back.numpy().tobytes() == x.numpy().tobytes()


def test_special_floats_keep_their_bits(tmp_path: Path) -> None:
    bits = np.array([0x7FC00001, 0x80000000, 0x00000001, 0x7F800000], np.uint32)
    back = round_trip(bits.view(np.float32), tmp_path)
    np.testing.assert_array_equal(back.view(np.uint32), bits)


@pytest.mark.parametrize("shape", [(), (0,), (3, 0, 2), (1, 1)])
def test_every_shape(shape: tuple[int, ...], tmp_path: Path) -> None:
    back = round_trip(pf.ones(shape), tmp_path)
    assert back.shape == list(shape)
    np.testing.assert_array_equal(back.numpy(), np.ones(shape))


def test_arrays_keep_their_kind(tmp_path: Path) -> None:
    big = np.arange(6, dtype=">i8").reshape(2, 3).T
    numpy_back, jax_back = round_trip((big, jnp.arange(3)), tmp_path)
    assert type(numpy_back) is np.ndarray
    assert numpy_back.dtype == np.int64
    np.testing.assert_array_equal(numpy_back, big)
    assert isinstance(jax_back, jax.Array)


def test_pending_tensors_are_computed_together(tmp_path: Path) -> None:
    x = pf.randn([4])
    before = staging.counts.evaluations
    a, b = round_trip([x + 1, x * 2], tmp_path)
    assert staging.counts.evaluations == before + 1
    np.testing.assert_allclose(a.numpy(), (x + 1).numpy(), rtol=1e-6)
    np.testing.assert_allclose(b.numpy(), (x * 2).numpy(), rtol=1e-6)


def test_same_state_same_bytes(tmp_path: Path) -> None:
    for name in "ab":
        pf.save({"w": pf.ones([3]), "n": 1}, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


# --- what cannot be saved -------------------------------------------------------------


class Custom:
    pass


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ({"a": [Custom()]}, pf.ArgumentError, "save: ['a'][0] is of type Custom"),
        (np.float32(1), pf.ArgumentError, "save: the value is of type float32"),
        (
            {"a": {(1, 2): 3}},
            pf.ArgumentError,
            "save: the key (1, 2) of ['a'] is of type tuple",
        ),
        ({True: 3}, pf.ArgumentError, "save: the key True of the dict is of type bool"),
        (
            {"a": np.array(["x"])},
            pf.DTypeError,
            "save: ['a'] is an array of <U1",
        ),
        (np.zeros(2, complex), pf.DTypeError, "save: the array is an array of complex"),
    ],
)
def test_what_cannot_be_saved(
    value: Any, error: type[Exception], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match="^" + re.escape(message)):
        pf.save(value, tmp_path / "state")
    assert list(tmp_path.iterdir()) == []


def test_a_list_that_contains_itself(tmp_path: Path) -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(pf.ArgumentError, match="is nested deeper than 64 levels"):
        pf.save(loop, tmp_path / "state")


def test_the_old_file_stays_until_the_new_one_is_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state"
    pf.save("old", path)

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(saving, "_write", fail)
    with pytest.raises(OSError, match="disk full"):
        pf.save("new", path)
    assert pf.load(path) == "old"
    assert os.listdir(tmp_path) == ["state"]


# --- damaged and hostile files -----------------------------------------------------


def test_truncated_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "state"
    pf.save({"w": pf.ones([5]), "b": [1.0, None]}, path)
    whole = path.read_bytes()
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        assert refusal(path)


def test_every_flipped_byte_is_noticed_or_harmless(tmp_path: Path) -> None:
    path = tmp_path / "state"
    pf.save({"w": pf.ones([2])}, path)
    whole = path.read_bytes()
    for i in range(len(whole)):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 0x41]) + whole[i + 1 :])
        try:
            assert pf.load(path)["w"].numpy().tolist() == [1, 1]
        except pf.SavedFileError:
            pass


def test_foreign_files(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"\x80\x04K\x01.")  # a pickle
    assert refusal(path) == "File is not a zip file"
    write_zip(path, {"archive/data.pkl": b"\x80\x04K\x01."})  # a torch file
    assert refusal(path) == "it has no manifest.json"
    write_zip(path, {"manifest.json": "{}"})
    assert refusal(path) == "manifest.json is not of the format 'pyflame'"
    write_zip(path, {"manifest.json": "[" * 100_000})
    assert "recursion" in refusal(path)
    write_zip(path, {"manifest.json": json.dumps(manifest(version=2))})
    assert (
        refusal(path) == "it has version 2 of the format; this PyFlame reads version 1"
    )


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        pf.load(tmp_path / "none")


F32_2 = ["float32", [2]]
BYTES_8 = b"\0\0\x80?" * 2


@pytest.mark.parametrize(
    ("changes", "members", "message"),
    [
        (
            {"arrays": [["float32", [2**40]]]},
            {"arrays/0": BYTES_8},
            "array 0, float32[1099511627776], has 8 bytes instead of 4398046511104",
        ),
        (
            {"arrays": [["float32", [-2]]]},
            {"arrays/0": BYTES_8},
            "\"['float32', [-2]]\" is no dtype and shape of an array",
        ),
        (
            {"arrays": [["object", [1]]]},
            {"arrays/0": BYTES_8},
            "\"['object', [1]]\" is no dtype and shape of an array",
        ),
        (
            {"arrays": [F32_2]},
            {"arrays/0": BYTES_8, "../../evil": b"x"},
            "'../../evil' is missing or does not belong there",
        ),
        (
            {"arrays": [F32_2]},
            {},
            "'arrays/0' is missing or does not belong there",
        ),
        ({"tree": {"tensor": 0}}, {}, "\"{'tensor': 0}\" stands for nothing"),
        ({"tree": {"tensor": -1}}, {}, "\"{'tensor': -1}\" stands for nothing"),
        ({"tree": {"call": "os.system"}}, {}, "\"{'call': 'os.system'}\" stands for"),
        ({"tree": {}}, {}, "'{}' stands for nothing"),
        ({"tree": {"dict": [[1]]}}, {}, "an entry of a dict is no key and value"),
        (
            {"tree": {"dict": [["a", 1], ["a", 2]]}},
            {},
            "the key 'a' stands twice in a dict",
        ),
        (
            {"arrays": [["bool", [2]]], "tree": {"numpy": 0}},
            {"arrays/0": b"\1\2"},
            "'arrays/0' has booleans other than 0 and 1",
        ),
    ],
)
def test_hostile_manifests(
    changes: dict[str, Any], members: dict[str, bytes], message: str, tmp_path: Path
) -> None:
    text = json.dumps(manifest(**changes))
    path = write_zip(tmp_path / "state", {"manifest.json": text, **members})
    assert refusal(path).startswith(message)
    assert os.listdir(tmp_path) == ["state"]  # nothing was written anywhere


@pytest.mark.parametrize(
    ("json_text", "message"),
    [
        ("NaN", "NaN is no number of JSON"),
        ("[1, -Infinity]", "-Infinity is no number of JSON"),
        ("[1e999]", "1e999 is too large for a number"),
        ('{"tuple": [], "tuple": []}', "an object of JSON has a key twice"),
        ("9" * 5000, "Exceeds the limit"),
        ('[{"tensor": 0}, {"tensor": 0}]', "array 0 stands in the tree twice"),
        ("[]", "array 0 stands nowhere in the tree"),
        ('{"tensor": 0, "jax": 0}', "array 0 stands in the tree twice"),
        ('{"tensor": true}', "array 0 stands nowhere in the tree"),
        ('{"tensor": 0.0}', "array 0 stands nowhere in the tree"),
    ],
)
def test_hostile_trees(json_text: str, message: str, tmp_path: Path) -> None:
    text = json.dumps(manifest(arrays=[F32_2])).replace("null", json_text)
    members = {"manifest.json": text, "arrays/0": BYTES_8}
    path = write_zip(tmp_path / "state", members)
    assert refusal(path).startswith(message)


@pytest.mark.parametrize(
    ("kind", "dtype", "message"),
    [
        ("tensor", "int64", "no tensor has the dtype int64"),
        ("tensor", "float64", "no tensor has the dtype float64"),
        ("tensor", "uint8", "no tensor has the dtype uint8"),
        (
            "jax",
            "float64",
            "a JAX array of float64 needs jax_enable_x64, as when it was saved",
        ),
    ],
)
def test_nothing_is_narrowed_without_a_word(
    kind: str, dtype: str, message: str, tmp_path: Path
) -> None:
    size = np.dtype(dtype).itemsize
    text = json.dumps(manifest(arrays=[[dtype, [1]]], tree={kind: 0}))
    members = {"manifest.json": text, "arrays/0": b"\1" * size}
    assert refusal(write_zip(tmp_path / "state", members)) == message


@pytest.mark.parametrize("shape", [[0, 2**47], [2**47, 0, 2**47], [0] * 33])
def test_empty_shapes_that_no_array_has(shape: list[int], tmp_path: Path) -> None:
    text = json.dumps(manifest(arrays=[["float32", shape]], tree={"tensor": 0}))
    path = write_zip(tmp_path / "s", {"manifest.json": text, "arrays/0": b""})
    if shape == [0, 2**47]:
        assert pf.load(path).shape == shape
    else:
        assert "is no dtype and shape of an array" in refusal(path)


def test_a_symbolic_link_keeps_pointing_to_the_file(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    link = tmp_path / "latest"
    link.symlink_to(tmp_path / "runs" / "one")
    pf.save([1], link)
    assert link.is_symlink()
    assert pf.load(tmp_path / "runs" / "one") == [1]
    assert pf.load(link) == [1]


def test_members_elsewhere_are_never_written(tmp_path: Path) -> None:
    for name in ("/etc/evil", "..\\evil", "arrays/../../evil", "arrays/0/", "\u202e"):
        text = json.dumps(manifest())
        path = write_zip(tmp_path / "state", {"manifest.json": text, name: b"x"})
        assert refusal(path).endswith("is missing or does not belong there")
    assert os.listdir(tmp_path) == ["state"]


def test_deep_trees(tmp_path: Path) -> None:
    deep = "[" * 500 + "]" * 500
    text = json.dumps(manifest()).replace("null", deep)
    path = write_zip(tmp_path / "state", {"manifest.json": text})
    assert refusal(path) == "it is nested deeper than 64 levels"


def test_compressed_members(tmp_path: Path) -> None:
    bomb = {"manifest.json": " " * 10**6}
    path = write_zip(tmp_path / "s", bomb, compression=zipfile.ZIP_DEFLATED)
    assert refusal(path) == "'manifest.json' is compressed or encrypted"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_that_stand_twice(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest()))
        archive.writestr("manifest.json", json.dumps(manifest()))
    assert refusal(path) == "'manifest.json' stands in it twice"


def test_sizes_that_the_file_cannot_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "state"
    pf.save(pf.ones([2]), path)
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"PK\x01\x02")  # the directory's entry of arrays/0
    data[entry + 20 : entry + 28] = (2**31 - 1).to_bytes(4, "little") * 2
    path.write_bytes(data)
    allocated = _spy(monkeypatch, np, "empty")
    assert re.fullmatch(r"its members claim \d+ bytes, the file has \d+", refusal(path))
    assert allocated == []


def _spy(patch: pytest.MonkeyPatch, module: Any, name: str) -> list[Any]:
    calls: list[Any] = []
    original: Callable[..., Any] = getattr(module, name)

    def spy(*args: Any, **kwargs: Any) -> Any:
        calls.append(args)
        return original(*args, **kwargs)

    patch.setattr(module, name, spy)
    return calls
