"""The primitives that a normalised jaxpr is made of.

Partition has one rule for each of them, and nothing else reaches it.
"""

from __future__ import annotations

# Results have the shape of the operands; an operand of rank 0 serves every element.
UNARY = frozenset("neg sign abs exp log tanh sqrt rsqrt not".split())
BINARY = frozenset(
    "add sub mul div max min eq ne lt le gt ge and or xor".split(),
)
ELEMENTWISE = (
    UNARY
    | BINARY
    | {"select_n", "convert_element_type", "bitcast_convert_type"}
    | {"element_call", "machine_op"}
)

REDUCTIONS = frozenset(
    "reduce_sum reduce_max reduce_min reduce_prod reduce_and reduce_or reduce_xor "
    "argmax argmin sort".split()
)
CUMULATIVE = frozenset("cumsum cumprod cummax cummin".split())
SHAPES = frozenset({"broadcast_in_dim", "reshape", "squeeze", "transpose", "slice"})
MOVES = frozenset({"concatenate", "pad", "rev"})
WINDOWS = frozenset({"dynamic_slice", "dynamic_update_slice"})
POOLING = frozenset(
    "reduce_window_sum reduce_window_max reduce_window_min reduce_window "
    "select_and_scatter_add select_and_gather_add".split()
)
# With JAX's function to combine an element with its update, besides `scatter` itself.
SCATTERS = frozenset(
    "scatter scatter-add scatter-sub scatter-mul scatter-min scatter-max".split()
)
CORE = (
    ELEMENTWISE
    | REDUCTIONS
    | CUMULATIVE
    | SHAPES
    | MOVES
    | WINDOWS
    | SCATTERS
    | POOLING
    | {"gather", "dot_general", "conv_general_dilated", "iota", "replicate"}
)

CONTROL_FLOW = frozenset({"cond", "while", "scan"})

# What a `jax.shard_map` becomes, and the collectives inside it.
MESH = frozenset(
    "mesh_index mesh_broadcast mesh_reduce mesh_all_reduce mesh_all_gather mesh_shift "
    "mesh_slice mesh_fill_padding".split()
)
MAPPED = MESH | {"mesh_map"}

# Equations with jaxprs that are made of core primitives, too.
NESTING = CONTROL_FLOW | {"element_call", "mesh_map"}

# On typed random keys; nothing of them is left once keys are their words.
OF_KEYS = frozenset(
    "random_bits random_clone random_fold_in random_gamma random_seed random_split "
    "random_unwrap random_wrap".split()
)
