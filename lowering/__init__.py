"""The compiler: a jaxpr becomes the program of one PE, a plan, and CSL text."""
