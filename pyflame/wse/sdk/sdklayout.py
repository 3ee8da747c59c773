"""SdkLayout and its companions: names that scripts import, refused when used.

Programs whose layout is built in Python are not supported yet. The classes exist so
that a script's imports succeed and its first use says why it cannot go on.
"""

from __future__ import annotations

from typing import Any, NoReturn

from pyflame.wse.errors import HostError


def _refuse(name: str) -> NoReturn:
    raise HostError(
        f"{name} is not supported yet: this simulator runs programs with a CSL layout "
        "block, compiled by cslc"
    )


class _Refused:
    """A class that cannot be constructed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse(type(self).__name__)


class SdkLayout(_Refused):
    """A layout built in Python."""


class SdkExecutionPlatform(_Refused):
    """Where an SdkLayout program runs."""


class SdkCompileArtifacts(_Refused):
    """What SdkLayout.compile gives."""


class SimfabConfig(_Refused):
    """Options of the simulator of an SdkLayout program."""


class CodeRegion(_Refused):
    """A rectangle of PEs of an SdkLayout program."""


class Color(_Refused):
    """A named color of an SdkLayout program."""


class RoutingPosition(_Refused):
    """A route of an SdkLayout program."""


class EdgeRouteInfo(_Refused):
    """Routes on an edge of a code region."""


class PortHandle(_Refused):
    """A port of a code region."""


class IntVector(_Refused):
    """A place or an extent in an SdkLayout program."""


class IntRectangle(_Refused):
    """A rectangle in an SdkLayout program."""


def get_platform(*args: Any, **kwargs: Any) -> NoReturn:
    """Refused: see the module's docstring."""
    _refuse("get_platform")


def get_simulator(*args: Any, **kwargs: Any) -> NoReturn:
    """Refused: see the module's docstring."""
    _refuse("get_simulator")


def get_system(*args: Any, **kwargs: Any) -> NoReturn:
    """Refused: see the module's docstring."""
    _refuse("get_system")


def get_edge_routing(*args: Any, **kwargs: Any) -> NoReturn:
    """Refused: see the module's docstring."""
    _refuse("get_edge_routing")
