"""Optimizers and learning rate schedulers, with PyTorch's arithmetic."""

from pyflame.optim.adam import Adam as Adam
from pyflame.optim.adam import AdamW as AdamW
from pyflame.optim.decay import ExponentialLR as ExponentialLR
from pyflame.optim.decay import MultiStepLR as MultiStepLR
from pyflame.optim.decay import StepLR as StepLR
from pyflame.optim.one_cycle import OneCycleLR as OneCycleLR
from pyflame.optim.optimizer import Optimizer as Optimizer
from pyflame.optim.plateau import ReduceLROnPlateau as ReduceLROnPlateau
from pyflame.optim.ramps import CosineAnnealingLR as CosineAnnealingLR
from pyflame.optim.ramps import LinearLR as LinearLR
from pyflame.optim.ramps import PolynomialLR as PolynomialLR
from pyflame.optim.rmsprop import RMSprop as RMSprop
from pyflame.optim.scheduler import LRScheduler as LRScheduler
from pyflame.optim.sgd import SGD as SGD
