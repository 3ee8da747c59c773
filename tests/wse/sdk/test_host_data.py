"""The conversions that scripts import as sdk_utils."""

import json

import numpy as np
import pytest

from pyflame.wse.sdk import host_data


def test_memcpy_view_is_a_view_on_the_low_bytes():
    words = np.zeros((2, 2), np.uint32)
    low = host_data.memcpy_view(words, np.dtype(np.float16))
    low[1, 0] = 1.5
    assert words[1, 0] == np.float16(1.5).view(np.uint16)
    assert low.shape == (2, 2)


@pytest.mark.parametrize(
    ("arr", "dtype", "message"),
    [
        (np.zeros(1, np.uint16), np.dtype("u2"), "'arr' must be 32-bit, got uint16"),
        (
            np.zeros(1, np.uint32),
            np.dtype("u8"),
            "'dtype' must be a numpy.dtype of 8, 16 or 32 bits, got dtype('uint64')",
        ),
        (
            np.zeros(1, np.uint32),
            np.uint16,
            "'dtype' must be a numpy.dtype of 8, 16 or 32 bits, got "
            "<class 'numpy.uint16'>",
        ),
    ],
)
def test_memcpy_view_refuses(arr, dtype, message):
    with pytest.raises(RuntimeError) as caught:
        host_data.memcpy_view(arr, dtype)
    assert str(caught.value) == f"memcpy_view: {message}"


def test_input_array_of_16_bits_carries_indices_with_a_sentinel():
    data = np.array([1, 2, 3], np.int16)
    assert host_data.input_array_to_u32(data, None, 2).tolist() == [1, 2, 3]
    assert host_data.input_array_to_u32(data, 0, 2).tolist() == [1, 0x10002, 3]
    minus = np.array([-1], np.int16)
    assert host_data.input_array_to_u32(minus, None, 1).tolist() == [0xFFFF]


def test_input_array_of_32_bits_is_its_bits():
    data = np.array([1.0], np.float32)
    assert host_data.input_array_to_u32(data, 1, 1).tolist() == [0x3F800000]


@pytest.mark.parametrize(
    ("arr", "message"),
    [
        (np.zeros((1, 1), np.int16), "expected a 1-D array, got 2 dimensions"),
        (np.zeros(1, np.int64), "elements must be 16 or 32-bit, got int64"),
    ],
)
def test_input_array_refuses(arr, message):
    with pytest.raises(RuntimeError) as caught:
        host_data.input_array_to_u32(arr, None, 1)
    assert str(caught.value) == f"input_array_to_u32: {message}"


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (np.int16(-1), 0xFFFF),
        (np.float16(1.0), 0x3C00),
        (np.float32(1.0), 0x3F800000),
        (np.int32(-2), 0xFFFFFFFE),
        (7, 7),
        (-1, 0xFFFFFFFF),
        (1.0, 0x3F800000),
    ],
)
def test_cast_uint32(value, word):
    assert int(host_data.cast_uint32(value)) == word


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.float64(1), "cannot cast a float64 scalar"),
        ("1", "cannot cast str"),
        (True, "cannot cast bool"),
    ],
)
def test_cast_uint32_refuses(value, message):
    with pytest.raises(RuntimeError) as caught:
        host_data.cast_uint32(value)
    assert str(caught.value) == f"cast_uint32: {message}"


def test_timestamps():
    words = np.array([5, 0, 1, 9, 1, 1], np.uint16)
    assert host_data.make_u48(words[:3]) == (1 << 32) + 5
    assert host_data.sub_ts(words) == (1 << 16) + 4
    assert host_data.calculate_cycles(words.view(np.float32)) == (1 << 16) + 4
    assert host_data.float_to_hex(1.0) == "0x3f800000"


def test_tables_of_functions(tmp_path):
    table = {
        "rpc_symbols": [
            {"id": 0, "kind": "Var", "name": "y", "type": "[*]f32"},
            {"id": 1, "kind": "Func", "name": "go", "type": "void"},
            {
                "id": 2,
                "kind": "Func",
                "name": "step",
                "type": "void",
                "inputs": [{"name": "n", "type": "i16"}],
            },
        ]
    }
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "out_rpc.json").write_text(json.dumps(table))
    api = host_data.get_api_info_dict(tmp_path)
    assert api == {"go": ([], []), "step": (["n"], ["i16"])}
    host_data.check_rpc_api("step", [np.int16(1)], api)
    for name, args, message in [
        ("stop", [], "Cannot find exported function with name stop"),
        ("step", [], "step takes 1 arguments, got 0"),
        ("step", [1], "argument 1 of step has type int, the kernel defines i16"),
    ]:
        with pytest.raises(RuntimeError) as caught:
            host_data.check_rpc_api(name, args, api)
        assert str(caught.value) == message


def test_primitive_types():
    assert host_data.is_valid_primitive_type("f16")
    assert not host_data.is_valid_primitive_type("i64")


@pytest.mark.parametrize(
    ("options", "name"),
    [("a.csl -o x --memcpy", "x"), ("-o=y", "y"), ("a.csl", "out")],
)
def test_output_name(options, name):
    assert host_data.get_output_name_from_compile_options(options) == name
