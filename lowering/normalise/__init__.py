"""jaxpr -> jaxpr of core primitives: calls inlined, dead code gone."""
