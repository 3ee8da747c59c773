"""`pf.jit`: a function of Tensors as one compiled call."""
