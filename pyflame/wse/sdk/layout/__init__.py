"""SdkLayout: layouts that are built in Python instead of a CSL layout block."""
