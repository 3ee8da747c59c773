"""PyTorch-like tensors on JAX that compile to CSL and run on a simulated wafer."""
