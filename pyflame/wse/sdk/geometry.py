"""Where a program may sit on the fabric.

With memcpy, three infrastructure columns stand to the west of the program, two to
the east, and a ring of PEs around everything stays empty. Source: the SDK's page on
the host runtime.
"""

from __future__ import annotations

from pyflame.wse.errors import HostError
from pyflame.wse.language.image import Options

_WEST_COLUMNS = 4
_EAST_COLUMNS = 3
_HALO_ROWS = 1


def check_geometry(options: Options, width: int, height: int) -> None:
    """Raises HostError if a program rectangle does not fit the fabric asked for.

    Args:
        width, height: of the program rectangle, in PEs.
    """
    if options.memcpy:
        _check_memcpy(options, width, height)
    elif options.fabric_dims is not None:
        _check_bare(options, options.fabric_dims, width, height)


def smallest_fabric(
    options: Options, width: int, height: int
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Dimensions and offsets of the smallest fabric that takes the program."""
    x = _WEST_COLUMNS + options.width_west_buf
    total = x + width + _EAST_COLUMNS + options.width_east_buf
    return (total, height + 2 * _HALO_ROWS), (x, _HALO_ROWS)


def _check_memcpy(options: Options, width: int, height: int) -> None:
    if options.fabric_dims is None or options.fabric_offsets is None:
        raise HostError(
            "--memcpy needs --fabric-dims and --fabric-offsets"
            + _advice(options, width, height)
        )
    fabric_width, fabric_height = options.fabric_dims
    x, y = options.fabric_offsets
    west = _WEST_COLUMNS + options.width_west_buf
    east = _EAST_COLUMNS + options.width_east_buf
    _check(x >= west, f"the X offset {x} is less than {west}", options, width, height)
    _check(y >= 1, f"the Y offset {y} is less than 1", options, width, height)
    _check(
        fabric_width >= x + width + east,
        f"the fabric is {fabric_width} wide, but {x} columns in front of the program, "
        f"{width} of it and {east} behind it make {x + width + east}",
        options,
        width,
        height,
    )
    _check(
        fabric_height >= y + height + _HALO_ROWS,
        f"the fabric is {fabric_height} high, but {y} rows above the program, "
        f"{height} of it and 1 below it make {y + height + _HALO_ROWS}",
        options,
        width,
        height,
    )


def _check_bare(
    options: Options, fabric_dims: tuple[int, int], width: int, height: int
) -> None:
    x, y = options.fabric_offsets or (0, 0)
    fabric_width, fabric_height = fabric_dims
    if x + width > fabric_width or y + height > fabric_height:
        raise HostError(
            f"a program of {width}x{height} PEs at ({x}, {y}) does not fit a fabric "
            f"of {fabric_width}x{fabric_height}"
        )


def _check(holds: bool, broken: str, options: Options, width: int, height: int) -> None:
    if not holds:
        raise HostError(broken + _advice(options, width, height))


def _advice(options: Options, width: int, height: int) -> str:
    (w, h), (x, y) = smallest_fabric(options, width, height)
    return (
        f"; the smallest fabric for {width}x{height} PEs is "
        f"--fabric-dims={w},{h} --fabric-offsets={x},{y}"
    )
