"""All modules of rewrites: importing this registers every rewrite, in this order."""

from lowering.normalise import bits as bits
from lowering.normalise import complex_functions as complex_functions
from lowering.normalise import complex_rules as complex_rules
from lowering.normalise import division as division
from lowering.normalise import dot as dot
from lowering.normalise import elementary as elementary
from lowering.normalise import error_functions as error_functions
from lowering.normalise import fft as fft
from lowering.normalise import gamma_functions as gamma_functions
from lowering.normalise import incomplete_gamma as incomplete_gamma
from lowering.normalise import rewrites as rewrites
from lowering.normalise import rewrites_convolution as rewrites_convolution
from lowering.normalise import rewrites_cumulative as rewrites_cumulative
from lowering.normalise import rewrites_factors as rewrites_factors
from lowering.normalise import rewrites_indices as rewrites_indices
from lowering.normalise import rewrites_jacobi as rewrites_jacobi
from lowering.normalise import rewrites_moves as rewrites_moves
from lowering.normalise import rewrites_order as rewrites_order
from lowering.normalise import rewrites_reductions as rewrites_reductions
from lowering.normalise import rewrites_sort as rewrites_sort
from lowering.normalise import rewrites_tridiagonal as rewrites_tridiagonal
from lowering.normalise import rewrites_windows as rewrites_windows
from lowering.normalise import rng_bit_generator as rng_bit_generator
from lowering.normalise import threefry as threefry
from lowering.normalise import trigonometric as trigonometric
from lowering.normalise import widen as widen
