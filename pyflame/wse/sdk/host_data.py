"""Host-side conversions of the SDK: 16-bit data in 32-bit words, timestamps, tables.

These are the functions that scripts import as `cerebras.sdk.sdk_utils`.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray


def memcpy_view(arr: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """The low bytes of 32-bit elements as another type: a view of the same shape.

    Raises:
        RuntimeError: elements of `arr` are not 32 bits wide, or those of `dtype`
            are not 8, 16 or 32.
    """
    if arr.itemsize != 4:
        raise RuntimeError(f"memcpy_view: 'arr' must be 32-bit, got {arr.dtype}")
    wanted = cast("np.dtype[Any]", dtype)
    if not isinstance(dtype, np.dtype) or wanted.itemsize not in (1, 2, 4):
        raise RuntimeError(
            "memcpy_view: 'dtype' must be a numpy.dtype of 8, 16 or 32 bits, got "
            f"{wanted!r}"
        )
    # Little endian: the low bytes come first, so the strides stay those of `arr`.
    return np.ndarray(arr.shape, wanted, buffer=arr, strides=arr.strides)


def input_array_to_u32(
    np_arr: NDArray[Any], sentinel: int | None, fast_dim_sz: int
) -> NDArray[np.uint32]:
    """One uint32 per element of a 1-D array of 16 or 32-bit elements.

    16-bit elements land in the low half; if `sentinel` is not None, the high half
    holds the element's index modulo `fast_dim_sz`.

    Raises:
        RuntimeError: not one-dimensional, or elements of another width.
    """
    if np_arr.ndim != 1:
        raise RuntimeError(
            f"input_array_to_u32: expected a 1-D array, got {np_arr.ndim} dimensions"
        )
    if np_arr.dtype.itemsize == 4:
        return np_arr.view(np.uint32)
    if np_arr.dtype.itemsize != 2:
        raise RuntimeError(
            f"input_array_to_u32: elements must be 16 or 32-bit, got {np_arr.dtype}"
        )
    words = np_arr.view(np.uint16).astype(np.uint32)
    if sentinel is not None:
        index = np.arange(np_arr.size, dtype=np.uint32) % np.uint32(fast_dim_sz)
        words |= (index & 0xFFFF) << 16
    return words


def cast_uint32(x: Any) -> np.uint32:
    """The bits of a scalar in a 32-bit word; 16-bit ones are extended with zeros.

    Raises:
        RuntimeError: no scalar, or one of another width.
    """
    if isinstance(x, np.generic):
        scalar = np.asarray(cast("Any", x))
        if scalar.itemsize not in (2, 4):
            raise RuntimeError(f"cast_uint32: cannot cast a {scalar.dtype} scalar")
        return np.uint32(scalar.view(f"u{scalar.itemsize}")[()])
    if isinstance(x, bool) or not isinstance(x, (int, float)):
        raise RuntimeError(f"cast_uint32: cannot cast {type(x).__name__}")
    if isinstance(x, int):
        return np.uint32(x & 0xFFFFFFFF)
    return np.float32(x).view(np.uint32)


def float_to_hex(f: float) -> str:
    """The bits of a number as IEEE single precision, in hexadecimal."""
    return hex(struct.unpack("<I", struct.pack("<f", f))[0])


def make_u48(words: Sequence[Any]) -> int:
    """Three 16-bit words, lowest first, as one number."""
    return int(words[0]) | (int(words[1]) << 16) | (int(words[2]) << 32)


def sub_ts(words: Sequence[Any]) -> int:
    """Cycles between two timestamps: words 0-2 the start, words 3-5 the end."""
    return make_u48(words[3:6]) - make_u48(words[0:3])


def calculate_cycles(timestamp_buf: NDArray[Any]) -> int:
    """Cycles between the two timestamps packed in the bits of three float32 words."""
    words = np.ascontiguousarray(timestamp_buf[:3], np.float32).view(np.uint16)
    return sub_ts([int(word) for word in words])


# --- out_rpc.json -------------------------------------------------------------------

# Host scalars that fit a parameter, by the parameter's CSL type.
HOST_TYPES: dict[str, tuple[type, ...]] = {
    "f32": (float, np.float32),
    "f16": (np.float16,),
    "i32": (np.int32, np.int_),
    "u32": (np.uint32,),
    "i16": (np.int16,),
    "u16": (np.uint16,),
}

ApiInfo = dict[str, tuple[list[str], list[str]]]


def is_valid_primitive_type(type_name: str) -> bool:
    """Whether the host can pass an argument of that type."""
    return type_name in HOST_TYPES


def parse_host_callable_api(entry: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Names and types of the parameters of one `rpc_symbols` entry."""
    inputs = entry.get("inputs", [])
    return [i["name"] for i in inputs], [i["type"] for i in inputs]


def get_api_info_dict_from_json(rpc: dict[str, Any]) -> ApiInfo:
    """`{function: (names, types)}` of the contents of an out_rpc.json."""
    return {
        entry["name"]: parse_host_callable_api(entry)
        for entry in rpc["rpc_symbols"]
        if entry["kind"] == "Func"
    }


def get_api_info_dict(path: str | os.PathLike[str]) -> ApiInfo:
    """`{function: (names, types)}` of a compiled program's folder."""
    text = (Path(path) / "bin" / "out_rpc.json").read_text(encoding="utf-8")
    return get_api_info_dict_from_json(json.loads(text))


def get_output_name_from_compile_options(options: str) -> str:
    """What `-o` names in a string of compile options; `out` without it."""
    words = options.split()
    for position, word in enumerate(words):
        if word == "-o" and position + 1 < len(words):
            return words[position + 1]
        if word.startswith("-o="):
            return word[3:]
    return "out"


def check_rpc_api(name: str, args: Sequence[Any], api: ApiInfo) -> None:
    """Checks the arguments of a launch against the table of `get_api_info_dict`.

    Raises:
        RuntimeError: no such function, a wrong count, or a host type that does not
            match the parameter's type.
    """
    if name not in api:
        raise RuntimeError(f"Cannot find exported function with name {name}")
    _, types = api[name]
    if len(args) != len(types):
        raise RuntimeError(f"{name} takes {len(types)} arguments, got {len(args)}")
    for position, (argument, wanted) in enumerate(zip(args, types, strict=True), 1):
        if not isinstance(argument, HOST_TYPES.get(wanted, ())):
            raise RuntimeError(
                f"argument {position} of {name} has type {type(argument).__name__}, "
                f"the kernel defines {wanted}"
            )
