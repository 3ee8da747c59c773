"""Neural networks: layers, containers, losses, initial values, and functions."""

from pyflame.nn import functional, init
from pyflame.nn.activation import (
    GELU,
    Flatten,
    Identity,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
)
from pyflame.nn.attention import CrossAttention, MultiheadAttention, SelfAttention
from pyflame.nn.containers import ModuleList, Sequential
from pyflame.nn.convolution import Conv1d, Conv2d
from pyflame.nn.dropout import Dropout, Dropout2d
from pyflame.nn.linear import Embedding, Linear
from pyflame.nn.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from pyflame.nn.module import Module
from pyflame.nn.normalization import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm
from pyflame.nn.parameter import Parameter
from pyflame.nn.pooling import AdaptiveAvgPool2d, AvgPool2d, GlobalAvgPool2d, MaxPool2d
from pyflame.nn.reduction import Reduction

__all__ = [
    "GELU",
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv1d",
    "Conv2d",
    "CrossAttention",
    "CrossEntropyLoss",
    "Dropout",
    "Dropout2d",
    "Embedding",
    "Flatten",
    "GlobalAvgPool2d",
    "GroupNorm",
    "Identity",
    "KLDivLoss",
    "L1Loss",
    "LayerNorm",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleList",
    "MultiheadAttention",
    "NLLLoss",
    "Parameter",
    "ReLU",
    "Reduction",
    "SelfAttention",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Tanh",
    "functional",
    "init",
]
