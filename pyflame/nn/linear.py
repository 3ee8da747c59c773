"""Layers that are one matrix: affine maps and embeddings."""

from __future__ import annotations

from typing import Any, Self

from pyflame.creation import tensor, zeros
from pyflame.errors import ArgumentError, ShapeError
from pyflame.nn import functional as F
from pyflame.nn import init
from pyflame.nn.arguments import check_positive
from pyflame.nn.module import Module
from pyflame.nn.parameter import Parameter


class Linear(Module):
    """input @ weight.T + bias: [..., in_features] to [..., out_features].

    Both start uniform within 1 / sqrt(in_features), as in PyTorch.
    """

    weight: Any
    bias: Any

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        check_positive("Linear", in_features=in_features, out_features=out_features)
        self.in_features = in_features
        self.out_features = out_features
        self.weight = zeros([out_features, in_features])
        self.register_parameter("bias", zeros([out_features]) if bias else None)
        init.affine_(self.weight, self.bias)

    def forward(self, input: Any) -> Any:
        return F.linear(input, self.weight, self.bias)

    def extra_repr(self) -> str:
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}"
        )


class Embedding(Module):
    """Rows of a table by integers: [...] to [..., embedding_dim].

    The table starts standard normal; the row `padding_idx` starts at zero and gets no
    gradient.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None
    ) -> None:
        check_positive(
            "Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim
        )
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = _row(padding_idx, num_embeddings)
        self.weight = init.normal_(zeros([num_embeddings, embedding_dim]))
        if self.padding_idx is not None:
            init.zero_row_(self.weight, self.padding_idx)

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None
    ) -> Self:
        """The table `embeddings` [V, E]: a Tensor, an array, or lists.

        With `freeze` it is not trained.

        Raises: ShapeError, for another number of dimensions.
        """
        table = tensor(embeddings)
        if table.ndim != 2:
            raise ShapeError(
                f"Embedding.from_pretrained of {table.dtype.name}{table.shape}",
                rule="embeddings is [num_embeddings, embedding_dim]",
            )
        rows, columns = table.shape
        made = cls(rows, columns, padding_idx)
        made.weight = Parameter(table, requires_grad=not freeze)
        return made

    def forward(self, input: Any) -> Any:
        return F.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        padding = self.padding_idx
        return text if padding is None else f"{text}, padding_idx={padding}"


def _row(index: int | None, rows: int) -> int | None:
    if index is None:
        return None
    if not -rows <= index < rows:
        raise ArgumentError(
            f"Embedding: padding_idx={index} is out of range",
            rule=f"padding_idx is at least {-rows} and at most {rows - 1}",
        )
    return index % rows
