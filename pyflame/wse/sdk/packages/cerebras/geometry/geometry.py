"""Places and rectangles of SdkLayout programs."""

from pyflame.wse.sdk.layout.vectors import IntRectangle as IntRectangle
from pyflame.wse.sdk.layout.vectors import IntVector as IntVector
