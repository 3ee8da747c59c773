"""Arguments of launch and call."""

import numpy as np
import pytest

from pyflame.wse.errors import HostError
from pyflame.wse.language import types
from pyflame.wse.sdk import arguments


def signature(*params):
    return types.Function(params, types.VOID)


@pytest.mark.parametrize(
    ("param", "value", "word"),
    [
        (types.I16, np.int16(-2), 0xFFFE),
        (types.U16, np.uint16(65535), 0xFFFF),
        (types.I32, np.int32(-1), 0xFFFFFFFF),
        (types.I32, np.int64(-1), 0xFFFFFFFF),
        (types.U32, np.uint32(5), 5),
        (types.F32, np.float32(1.0), 0x3F800000),
        (types.F32, 1.0, 0x3F800000),
        (types.F32, np.float64(1.0), 0x3F800000),
        (types.F16, np.float16(1.0), 0x3C00),
        (types.I16, -3, 0xFFFD),
        (types.U32, 0xFFFFFFFF, 0xFFFFFFFF),
    ],
)
def test_words(param, value, word):
    assert arguments.launch_words("f", signature(param), [value]) == [word]


@pytest.mark.parametrize(
    ("params", "values", "message"),
    [
        (
            (types.I16,),
            [],
            "launch of 'f' with 0 arguments: the kernel defines fn f(i16)",
        ),
        (
            (types.I16, types.F32),
            [np.int16(1), np.float16(1)],
            "argument 2 has type float16: the kernel defines fn f(i16, f32); cast it "
            "to the NumPy scalar of the parameter's type",
        ),
        (
            (types.F32,),
            [1],
            "argument 1 has type int: the kernel defines fn f(f32); cast it to the "
            "NumPy scalar of the parameter's type",
        ),
        (
            (types.I16,),
            [True],
            "argument 1 has type bool: the kernel defines fn f(i16); cast it to the "
            "NumPy scalar of the parameter's type",
        ),
        (
            (types.I16,),
            [40000],
            "argument 1 is 40000, which i16 cannot hold: the kernel defines fn f(i16)",
        ),
        (
            (types.I32,),
            [np.int64(1 << 40)],
            "argument 1 is 1099511627776, which i32 cannot hold: the kernel defines "
            "fn f(i32)",
        ),
    ],
)
def test_refused(params, values, message):
    with pytest.raises(HostError) as caught:
        arguments.launch_words("f", signature(*params), values)
    assert str(caught.value) == message


def test_call_takes_words():
    two = signature(types.F32, types.I16)
    assert arguments.call_words("f", two, [np.uint32(7), 8]) == [7, 8]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "call of 'f' with 0 arguments: the kernel defines fn f(f32)"),
        (
            [1.5],
            "call of 'f': 1.5 is no 32-bit word; cast arguments with "
            "sdk_utils.cast_uint32",
        ),
        (
            [-1],
            "call of 'f': -1 is no 32-bit word; cast arguments with "
            "sdk_utils.cast_uint32",
        ),
    ],
)
def test_call_refuses(words, message):
    with pytest.raises(HostError) as caught:
        arguments.call_words("f", signature(types.F32), words)
    assert str(caught.value) == message
