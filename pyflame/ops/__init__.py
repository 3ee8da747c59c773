"""Pure functions on arrays, one per op: thin wrappers over jax.numpy and lax.

No Tensor is known here. An op takes arrays by position and static arguments by
keyword; its name is what graphs and generated code show.
"""
