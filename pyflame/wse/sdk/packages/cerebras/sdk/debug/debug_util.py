"""Symbols and traces of a finished run."""

from pyflame.wse.sdk.debug import debug_util as debug_util
