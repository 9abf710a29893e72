"""The rows of a base's class tables, brought into the order of another run's classes, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor, nn

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class ClassRows:
    """The classes of a base, and those of the run that begins with it."""

    of_base: Sequence[str] = ()
    of_run: Sequence[str] = ()

    @property
    def new(self) -> list[str]:
        """The classes that only the run has; none if one of both has no classes."""
        if not self.of_base or not self.of_run:
            return []
        return [name for name in self.of_run if name not in self.of_base]

    def sort(self, saved: Mapping[str, Tensor], net: nn.Module) -> Weights:
        """The saved tensors, with a row for each class of the run; rows of new classes are empty.

        If no class of the run is in the base, or if all are the same, nothing changes.
        """
        shared = [name for name in self.of_run if name in self.of_base]
        if not shared or list(self.of_run) == list(self.of_base):
            return dict(saved)
        tables = self._tables(net)
        return {
            key: self._sorted_rows(tensor) if self._is_table(key, tensor, tables) else tensor
            for key, tensor in saved.items()
        }

    def fill(self, fitting: Weights, own: Mapping[str, Tensor], net: nn.Module) -> None:
        """Give the rows of new classes the numbers that the network had there."""
        rows = [self.of_run.index(name) for name in self.new]
        tables = self._tables(net)
        for key, tensor in list(fitting.items()):
            if rows and tables & set(key.split(".")) and len(tensor) == len(self.of_run):
                filled = tensor.clone()
                filled[rows] = own[key][rows].to(filled.device)  # a base is on the CPU
                fitting[key] = filled

    def _tables(self, net: nn.Module) -> set[str]:
        """The last names of the modules with a row for each class, such as `scale`."""
        return {
            name.rpartition(".")[2]
            for name, module in net.named_modules()
            if isinstance(module, nn.Embedding) and module.num_embeddings == len(self.of_run)
        }

    def _is_table(self, key: str, tensor: Tensor, tables: set[str]) -> bool:
        is_within = bool(tables & set(key.split(".")))
        return is_within and tensor.dim() > 0 and len(tensor) == len(self.of_base)

    def _sorted_rows(self, tensor: Tensor) -> Tensor:
        rows = tensor.new_zeros((len(self.of_run), *tensor.shape[1:]))
        for row, name in enumerate(self.of_run):
            if name in self.of_base:
                rows[row] = tensor[self.of_base.index(name)]
        return rows
