"""The runtime, its enumerations and the names of SdkLayout."""

from pyflame.wse.sdk.command_stream import Task as Task
from pyflame.wse.sdk.enums import FP16TYPE as FP16TYPE
from pyflame.wse.sdk.enums import Edge as Edge
from pyflame.wse.sdk.enums import MemcpyDataType as MemcpyDataType
from pyflame.wse.sdk.enums import MemcpyOrder as MemcpyOrder
from pyflame.wse.sdk.enums import Route as Route
from pyflame.wse.sdk.enums import SdkTarget as SdkTarget
from pyflame.wse.sdk.layout.artifacts import SdkCompileArtifacts as SdkCompileArtifacts
from pyflame.wse.sdk.layout.colors import Color as Color
from pyflame.wse.sdk.layout.platform import SdkExecutionPlatform as SdkExecutionPlatform
from pyflame.wse.sdk.layout.platform import SimfabConfig as SimfabConfig
from pyflame.wse.sdk.layout.platform import get_platform as get_platform
from pyflame.wse.sdk.layout.platform import get_simulator as get_simulator
from pyflame.wse.sdk.layout.platform import get_system as get_system
from pyflame.wse.sdk.layout.ports import PortHandle as PortHandle
from pyflame.wse.sdk.layout.region import CodeRegion as CodeRegion
from pyflame.wse.sdk.layout.routing import EdgeRouteInfo as EdgeRouteInfo
from pyflame.wse.sdk.layout.routing import RoutingPosition as RoutingPosition
from pyflame.wse.sdk.layout.routing import get_edge_routing as get_edge_routing
from pyflame.wse.sdk.layout.sdk_layout import SdkLayout as SdkLayout
from pyflame.wse.sdk.runtime import SdkRuntime as SdkRuntime
