"""The enumerations that appliance scripts import."""

from pyflame.wse.sdk.enums import MemcpyDataType as MemcpyDataType
from pyflame.wse.sdk.enums import MemcpyOrder as MemcpyOrder
