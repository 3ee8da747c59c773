"""Places and rectangles of SdkLayout programs."""

from pyflame.wse.sdk.sdklayout import IntRectangle as IntRectangle
from pyflame.wse.sdk.sdklayout import IntVector as IntVector
