"""The functions that users write, below the class Tensor that has them as methods."""
