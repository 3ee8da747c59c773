"""Where a layout runs: only simulated wafers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from pyflame.wse.errors import HostError
from pyflame.wse.sdk.enums import SdkTarget
from pyflame.wse.sdk.runtime_checks import check_threads


@dataclass(frozen=True, slots=True)
class SimfabConfig:
    """Options of the vendor's simulator, checked and otherwise without effect.

    Args:
        num_threads: 1 to 64; the simulation has one thread.
        suppress_trace: no trace files are written either way.
        dump_core, core_path: PE memory stays readable after stop() in the same
            process, so no core file is written.
    """

    num_threads: int = 16
    suppress_trace: bool = False
    dump_core: bool = False
    core_path: str | None = None

    def __post_init__(self) -> None:
        check_threads(self.num_threads, "num_threads")


@dataclass(frozen=True, slots=True)
class SdkExecutionPlatform:
    """A simulated wafer of one architecture."""

    target: SdkTarget
    config: SimfabConfig = field(default_factory=SimfabConfig)

    @property
    def arch(self) -> str:
        """The architecture as the compiler calls it."""
        return "wse2" if self.target is SdkTarget.WSE2 else "wse3"

    def is_simulation(self) -> bool:
        return True

    def is_system(self) -> bool:
        return False


def get_platform(
    cmaddr: str | None = None,
    config: SimfabConfig | None = None,
    target: SdkTarget = SdkTarget.WSE3,
) -> SdkExecutionPlatform:
    """The simulator if `cmaddr` is None or empty; a system is refused.

    Raises:
        HostError: `cmaddr` names a system, or an argument of the wrong type.
    """
    if cmaddr:
        get_system(cmaddr)
    return get_simulator(config, target)


def get_simulator(
    config: SimfabConfig | None = None, target: SdkTarget = SdkTarget.WSE3
) -> SdkExecutionPlatform:
    """A simulated wafer. Raises HostError for arguments of the wrong type."""
    if config is not None and not isinstance(config, SimfabConfig):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise HostError(f"config must be a SimfabConfig, not {type(config).__name__}")
    if not isinstance(target, SdkTarget):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise HostError(
            f"target must be SdkTarget.WSE2 or SdkTarget.WSE3, not {target!r}"
        )
    return SdkExecutionPlatform(target, config or SimfabConfig())


def get_system(cmaddr: str) -> NoReturn:
    """Refused: this runtime drives simulated wafers only."""
    raise HostError(
        f"cmaddr '{cmaddr}': this runtime drives a simulated wafer only; leave cmaddr "
        "out, or use the vendor's SDK for a system"
    )
