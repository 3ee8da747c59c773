"""The appliance mode's classes, served by the simulator on this machine."""

from pyflame.wse.sdk.client import SdkCompiler as SdkCompiler
from pyflame.wse.sdk.client import SdkLauncher as SdkLauncher
from pyflame.wse.sdk.client import SdkRuntime as SdkRuntime
