"""What SdkRuntime refuses: options it cannot serve, programs it cannot reach."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from pyflame.wse.errors import HostError
from pyflame.wse.language.image import ExportedName, Image
from pyflame.wse.language.types import Function, Type
from pyflame.wse.language.types import size_bytes as type_size_bytes

_MESSAGE_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_MAX_THREADS = 64


class Platform(Protocol):
    """Where a layout runs, as far as the runtime cares."""

    @property
    def arch(self) -> str: ...
    def is_simulation(self) -> bool: ...


def check_simulator(platform: object, cmaddr: str | None) -> None:
    if platform is not None and not hasattr(platform, "is_simulation"):
        raise HostError(
            "SdkRuntime: the platform must come from get_platform() or "
            f"get_simulator(), not be {type(platform).__name__}"
        )
    if cmaddr:
        raise HostError(
            f"cmaddr '{cmaddr}': this runtime drives a simulated wafer only; leave "
            "cmaddr out, or use the vendor's SDK for a system"
        )


def check_platform(platform: Platform | None, image: Image, folder: Path) -> None:
    if platform is not None and platform.arch != image.options.arch:
        raise HostError(
            f"the program in '{folder}' was compiled for {image.options.arch}, but the "
            f"platform is {platform.arch}"
        )


def check_message_level(msg_level: str) -> None:
    if msg_level not in _MESSAGE_LEVELS:
        raise HostError(
            f"msg_level must be one of {', '.join(_MESSAGE_LEVELS)}, not {msg_level!r}"
        )


def check_threads(count: int, name: str = "simfab_numthreads") -> None:
    if not 1 <= count <= _MAX_THREADS:
        raise HostError(f"{name} must be 1 to {_MAX_THREADS}, not {count}")


def check_channels(image: Image, folder: Path, placed: bool) -> None:
    if placed:
        raise HostError(
            f"the program in '{folder}' was compiled by SdkLayout, which has no "
            "memcpy; pass memcpy_required=False"
        )
    if not image.options.memcpy:
        raise HostError(
            f"the program in '{folder}' was compiled without --memcpy, so the host "
            "cannot reach it; compile with --memcpy --channels=1, or pass "
            "memcpy_required=False"
        )
    if image.options.channels < 1:
        raise HostError(
            f"the program in '{folder}' was compiled with --channels=0; compile it "
            "with --channels=1 or more"
        )


def exported_tensor(image: Image, identifier: object, what: str) -> ExportedName:
    """The exported variable of an id. Raises HostError if it has none."""
    exports = image.exports
    if identifier is None:
        names = ", ".join(e.name for e in exports) or "nothing"
        raise HostError(
            f"{what}: None is no symbol id: get_id knows no such name; "
            f"exported: {names}"
        )
    if isinstance(identifier, bool) or not isinstance(identifier, int):
        raise HostError(f"{what}: {identifier!r} is no symbol id of this program")
    if not 0 <= identifier < len(exports):
        raise HostError(f"{what}: {identifier} is no symbol id of this program")
    exported = exports[identifier]
    if isinstance(exported.type, Function):
        raise HostError(f"{what}: '{exported.name}' is a function, not a tensor")
    return exported


def symbol_size_bytes(name: str, type_: Type) -> int:
    """Bytes of a variable in PE memory. Raises HostError for types that have none."""
    try:
        return type_size_bytes(type_)
    except TypeError as error:
        raise HostError(f"'{name}' cannot be read: {error}") from None
