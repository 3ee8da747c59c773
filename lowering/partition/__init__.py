"""jaxpr -> PE jaxpr: the program of one PE on a mesh, with explicit collectives."""
