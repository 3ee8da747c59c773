"""The host side: cslc, cs_python, and the `cerebras.sdk` packages they serve."""
