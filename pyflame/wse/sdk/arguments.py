"""Arguments of `launch`: checked against the function, then one 32-bit word each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from pyflame.wse.errors import HostError
from pyflame.wse.language.types import Function, Int, Type
from pyflame.wse.sdk.host_data import HOST_TYPES, cast_uint32


def launch_words(name: str, signature: Function, arguments: Sequence[Any]) -> list[int]:
    """One 32-bit word per argument, 16-bit ones extended with zeros.

    Raises:
        HostError: wrong count, or a host type that does not match its parameter.
            Python ints are accepted for integer parameters that can hold them.
    """
    wanted = f"fn {name}({', '.join(map(str, signature.params))})"
    if len(arguments) != len(signature.params):
        raise HostError(
            f"launch of '{name}' with {len(arguments)} arguments: the kernel defines "
            f"{wanted}"
        )
    return [
        _word(position, argument, param, wanted)
        for position, (argument, param) in enumerate(
            zip(arguments, signature.params, strict=True), 1
        )
    ]


def _word(position: int, argument: Any, param: Type, wanted: str) -> int:
    if isinstance(argument, int) and not isinstance(argument, bool):
        return _int_word(position, argument, param, wanted)
    if not isinstance(argument, _host_types(param)):
        raise _mismatch(position, argument, wanted)
    if isinstance(argument, np.integer):
        return _int_word(position, int(cast("int", argument)), param, wanted)
    if isinstance(argument, float):  # np.float64 is one too
        argument = np.float32(argument)
    return int(cast_uint32(argument))


def _host_types(param: Type) -> tuple[type, ...]:
    return HOST_TYPES.get(str(param), ())


def _int_word(position: int, value: int, param: Type, wanted: str) -> int:
    if not isinstance(param, Int) or str(param) not in HOST_TYPES:
        raise _mismatch(position, value, wanted)
    if not param.minimum <= value <= param.maximum:
        raise HostError(
            f"argument {position} is {value}, which {param} cannot hold: the kernel "
            f"defines {wanted}"
        )
    return value & ((1 << param.bits) - 1)


def _mismatch(position: int, argument: Any, wanted: str) -> HostError:
    return HostError(
        f"argument {position} has type {type(argument).__name__}: the kernel defines "
        f"{wanted}; cast it to the NumPy scalar of the parameter's type"
    )


def call_words(name: str, signature: Function, words: Sequence[Any]) -> list[int]:
    """Arguments of `call`, which are 32-bit words already.

    Raises:
        HostError: wrong count, or something that is no 32-bit word.
    """
    if len(words) != len(signature.params):
        raise HostError(
            f"call of '{name}' with {len(words)} arguments: the kernel defines "
            f"fn {name}({', '.join(map(str, signature.params))})"
        )
    return [_checked_word(name, word) for word in words]


def _checked_word(name: str, word: Any) -> int:
    if isinstance(word, (int, np.integer)):
        value = int(cast("int", word))
        if 0 <= value < 1 << 32:
            return value
    raise HostError(
        f"call of '{name}': {word!r} is no 32-bit word; cast arguments with "
        "sdk_utils.cast_uint32"
    )
