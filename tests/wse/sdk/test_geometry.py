"""Where programs may sit on the fabric."""

from dataclasses import replace

import pytest

from pyflame.wse.errors import HostError
from pyflame.wse.language.image import Options
from pyflame.wse.sdk import geometry

ONE_PE = Options(memcpy=True, fabric_dims=(8, 3), fabric_offsets=(4, 1))
ADVICE = "; the smallest fabric for 1x1 PEs is --fabric-dims=8,3 --fabric-offsets=4,1"


def test_the_smallest_and_larger_fabrics_are_accepted():
    geometry.check_geometry(ONE_PE, 1, 1)
    geometry.check_geometry(replace(ONE_PE, fabric_dims=(11, 12)), 2, 4)
    buffered = replace(ONE_PE, fabric_dims=(12, 3), fabric_offsets=(5, 1))
    buffered = replace(buffered, width_west_buf=1, width_east_buf=2)
    geometry.check_geometry(buffered, 2, 1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"fabric_dims": None},
            "--memcpy needs --fabric-dims and --fabric-offsets" + ADVICE,
        ),
        ({"fabric_offsets": (3, 1)}, "the X offset 3 is less than 4" + ADVICE),
        ({"fabric_offsets": (4, 0)}, "the Y offset 0 is less than 1" + ADVICE),
        (
            {"fabric_dims": (7, 3)},
            "the fabric is 7 wide, but 4 columns in front of the program, 1 of it and "
            "3 behind it make 8" + ADVICE,
        ),
        (
            {"fabric_dims": (8, 2)},
            "the fabric is 2 high, but 1 rows above the program, 1 of it and 1 below "
            "it make 3" + ADVICE,
        ),
    ],
)
def test_refused(changes, message):
    with pytest.raises(HostError) as caught:
        geometry.check_geometry(replace(ONE_PE, **changes), 1, 1)
    assert str(caught.value) == message


def test_without_memcpy_the_program_must_fit():
    options = Options(fabric_dims=(3, 3), fabric_offsets=(2, 0))
    geometry.check_geometry(options, 1, 3)
    geometry.check_geometry(Options(), 100, 100)
    with pytest.raises(HostError) as caught:
        geometry.check_geometry(options, 2, 1)
    assert str(caught.value) == (
        "a program of 2x1 PEs at (2, 0) does not fit a fabric of 3x3"
    )
