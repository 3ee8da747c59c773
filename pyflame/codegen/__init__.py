"""From a tensor, graph or function to CSL, and from CSL to a run of it.

The one place that knows both the compiler and the simulator.
"""
