"""What is compiled: one closed jaxpr, with the names and layouts its user knows."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.extend.core import ClosedJaxpr

from lowering.jaxprs import donated_inputs
from pyflame import node as nodes
from pyflame import staging
from pyflame.codegen.complex_parts import on_parts
from pyflame.codegen.interface import Interface
from pyflame.codegen.key_words import on_words
from pyflame.errors import GraphError
from pyflame.graph import Graph, Node, names_of
from pyflame.graph_program import program_of
from pyflame.layout import MeshLayout
from pyflame.tensors import Tensor

Layouts = tuple[MeshLayout | None, ...]


@dataclass(frozen=True)
class Staged:
    """A program and its arguments, flattened.

    `in_tree` is the pytree of the positional arguments, `out_tree` of the result.
    `defaults` computes the values that inputs have where a run is given none. Inputs
    numbered in `donated` may be overwritten: `jax.jit(f, donate_argnums=...)` says so.
    """

    jaxpr: ClosedJaxpr
    in_names: tuple[str, ...]
    out_names: tuple[str, ...]
    in_layouts: Layouts
    in_tree: Any
    out_tree: Any
    defaults: Callable[[], list[np.ndarray[Any, Any]]] | None
    donated: frozenset[int] = frozenset()

    @property
    def interface(self) -> Interface:
        """What the compiled program is to its caller."""
        return Interface(
            self.in_names,
            tuple(
                jax.ShapeDtypeStruct(aval.shape, aval.dtype)
                for aval in self.jaxpr.in_avals
            ),
            self.in_tree,
            tuple(range(len(self.in_names))),
            self.out_tree,
            tuple(range(len(self.out_names))),
            self.defaults,
        )


def stage_graph(graph: Graph) -> Staged:
    """The program of recorded tensors: where they begin are the inputs, in order of
    creation; numbers are constants."""
    roots = [tensor._node for tensor in graph.outputs]
    recorded = program_of(roots)
    sources = recorded.sources
    names = names_of(graph.nodes)
    single = len(roots) == 1
    return Staged(
        recorded.jaxpr,
        tuple(names[Node(node)] for node in sources),
        tuple(names[Node(node)] for node in roots),
        tuple(node.layout for node in sources),
        jax.tree.structure(tuple(sources)),
        jax.tree.structure(0 if single else tuple(roots)),
        lambda: _values(sources),
    )


def stage_function(function: Callable[..., Any], args: Sequence[Any]) -> Staged:
    """The program of a function of arrays, Tensors and pytrees of them; of random keys
    it takes and gives the words, of complex arrays both parts.

    Raises: GraphError, if an argument is no array; else what the function raises.
    """
    leaves = jax.tree_util.tree_leaves_with_path(tuple(args), is_leaf=_is_tensor)
    parameters = _parameter_names(function, len(args))
    specs = [
        _spec(_path_name(parameters, path), leaf, function) for path, leaf in leaves
    ]
    tree = jax.tree.structure(tuple(args), is_leaf=_is_tensor)
    on_arrays, specs = on_words(function, specs, _is_tensor)
    on_arrays, specs = on_parts(on_arrays, specs, _is_tensor)
    arguments = jax.tree.unflatten(tree, specs)
    inputs = jax.tree_util.tree_leaves_with_path(arguments, is_leaf=_is_tensor)
    layouts = [
        x._node.layout if _is_tensor(x) else None
        for (_, x), spec in zip(leaves, specs, strict=True)
        for _ in jax.tree.leaves(spec, is_leaf=_is_tensor)
    ]

    @functools.wraps(function)
    def anew(*given: Any) -> Any:
        """JAX remembers what it has traced of a function itself, for a CPU maybe."""
        return on_arrays(*given)

    jaxpr, result = jax.make_jaxpr(anew, return_shape=True)(*arguments)
    return Staged(
        jaxpr,
        tuple(_path_name(parameters, path) for path, _ in inputs),
        _output_names(result),
        tuple(layouts),
        jax.tree.structure(arguments, is_leaf=_is_tensor),
        jax.tree.structure(result, is_leaf=_is_tensor),
        None,
        donated_inputs(jaxpr),
    )


def _values(sources: Sequence[nodes.Node]) -> list[np.ndarray[Any, Any]]:
    staging.evaluate(sources)
    return [np.asarray(node.value) for node in sources]


def _is_tensor(x: Any) -> bool:
    return isinstance(x, Tensor)


def _spec(name: str, leaf: Any, function: Any) -> Any:
    """Shape and dtype in the leaf's place; a Tensor stays one."""
    if isinstance(leaf, Tensor):
        return Tensor(nodes.data(leaf._aval().struct()))
    if isinstance(leaf, (bool, int, float)):
        return nodes.literal(leaf).aval.struct()  # pyright: ignore
    try:
        dtype = jax.dtypes.canonicalize_dtype(leaf.dtype, allow_extended_dtype=True)
        weak = bool(getattr(leaf, "weak_type", False))
        return jax.ShapeDtypeStruct(tuple(leaf.shape), dtype, weak_type=weak)
    except (AttributeError, TypeError):
        raise GraphError(
            f"argument {name} of {_function_name(function)} is {type(leaf).__name__}, "
            "no array",
            rule="a program's inputs are arrays, Tensors and numbers, or pytrees of "
            "them",
            help="bind other arguments beforehand, with functools.partial",
        ) from None


def _function_name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _parameter_names(function: Callable[..., Any], count: int) -> list[str]:
    """The names of `count` positional arguments, as the function spells them."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = [
        parameter.name
        for parameter in parameters
        if parameter.kind
        in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    return [names[i] if i < len(names) else f"arg{i}" for i in range(count)]


def _path_name(parameters: Sequence[str], path: Sequence[Any]) -> str:
    """`params.w1` for `params["w1"]`, `x` for an argument that is one array."""
    keys = [_key_text(key) for key in path[1:]]
    return ".".join([parameters[int(path[0].idx)], *keys])


def is_at(path: str, name: str) -> bool:
    """Whether a value's name is the path, or below it: `z.re` is at `z`."""
    return name == path or name.startswith(f"{path}.")


def _key_text(key: Any) -> str:
    return str(jax.tree_util.keystr((key,), simple=True))


def _output_names(result: Any) -> tuple[str, ...]:
    leaves = jax.tree_util.tree_leaves_with_path(result, is_leaf=_is_tensor)
    return tuple(".".join(["out", *map(_key_text, path)]) for path, _ in leaves)
