"""Lowers a generator: PyTorch lists its operations, and each becomes some of a program's.

What does not depend on z, such as the weights of a parametrised layer, is computed here.
"""

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.fx import Node

from gankit.core.errors import GankitError
from gankit.runs.sampler import Sampler
from gankit_explore.program.build import BATCH, Builder, Unknown, Value
from gankit_explore.program.class_inputs import with_class_inputs
from gankit_explore.program.operations import Operation
from gankit_explore.program.program import Program
from gankit_explore.program.rules import RULES

CURE = "export it with --format onnx instead"


def lower_sampler(sampler: Sampler) -> Program:
    """The program of a sampler's G; with class labels, it takes z and the shares of the classes."""
    return lower(*with_class_inputs(sampler))


def lower(net: nn.Module, latent_dim: int) -> Program:
    """The program of a generator in eval mode on the CPU; weights are rounded to float16.

    GankitError that names the first operation that a program does not have.
    """
    exported = _export(net, latent_dim)
    values = _constants(exported)
    builder = Builder(latent_dim)
    result: Any = None
    for node in exported.graph.nodes:
        if node.op == "placeholder" and node.name not in values:
            values[node.name] = Value(0)
        elif node.op == "call_function" and node.users:  # an assertion has none
            values[node.name] = _lower_node(builder, node, values)
        elif node.op == "output":
            result = _given(node.args[0][0], values)
    if not isinstance(result, Value) or result.index == 0:
        raise GankitError("this generator's pictures do not depend on z, so there is no page")
    operations = _only_needed(builder.operations, result.index)
    return Program(latent_dim, tuple(_rounded(operation) for operation in operations))


def _export(net: nn.Module, latent_dim: int) -> torch.export.ExportedProgram:
    try:
        exported = torch.export.export(net, (torch.zeros(BATCH, latent_dim),))
        plain: torch.export.ExportedProgram = exported.run_decompositions({})  # without in-place
    except Exception as error:  # of many types, some of them torch's own
        problem = str(error).strip().partition("\n")[0] or type(error).__name__
        cause = f"PyTorch cannot export this generator ({problem})"
        raise GankitError(f"{cause}, so a page cannot draw with it") from error
    return plain


def _constants(exported: torch.export.ExportedProgram) -> dict[str, Any]:
    """The parameters, buffers and constants by the name of their node."""
    signature = exported.graph_signature
    names = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    tensors = {**exported.state_dict, **exported.constants}
    return {node: tensors[name].detach() for node, name in names.items()}


def _given(argument: Any, values: dict[str, Any]) -> Any:
    """An argument of a node with the values of the nodes in it."""
    return torch.fx.node.map_arg(argument, lambda node: values[node.name])


@torch.no_grad()
def _lower_node(builder: Builder, node: Node, values: dict[str, Any]) -> Any:
    """The value of a node: a tensor if it does not depend on z."""
    target: Any = node.target
    args = _given(node.args, values)
    keywords = _given(node.kwargs, values)
    is_random = torch.Tag.nondeterministic_seeded in getattr(target, "tags", ())
    sources = [values[source.name] for source in node.all_input_nodes]
    if not is_random and not any(isinstance(source, Value | list) for source in sources):
        return target(*args, **keywords)
    name = getattr(target, "overloadpacket", target).__name__
    if name not in RULES:
        raise GankitError(f"this generator uses `{name}`, which a page cannot compute: {CURE}")
    builder.begin(node)
    try:
        result = RULES[name](builder, *args, **keywords)
    except (Unknown, TypeError) as error:
        detail = f" {error}" if isinstance(error, Unknown) else " with other options"
        problem = f"this generator uses `{name}`{detail}, which a page cannot compute"
        raise GankitError(f"{problem}: {CURE}") from error
    builder.end(node, result)
    return result


def _only_needed(operations: list[Operation], last: int) -> list[Operation]:
    """The operations that lead to value `last`, with their inputs counted anew."""
    needed = {last}
    for index in range(last, 0, -1):
        if index in needed:
            needed.update(operations[index - 1].inputs)
    kept = sorted(needed - {0})
    renumbered = {0: 0} | {old: new for new, old in enumerate(kept, 1)}
    return [
        dataclasses.replace(operation, inputs=tuple(renumbered[i] for i in operation.inputs))
        for operation in (operations[index - 1] for index in kept)
    ]


def _rounded(operation: Operation) -> Operation:
    """With the weights that float16 can hold. Factors make the largest of each channel 1."""
    if not operation.phases:
        return operation
    peaks = np.max([np.abs(phase.weights).max((0, 1)) for phase in operation.phases], 0)
    peaks = np.where(peaks > 0, peaks, 1).astype(np.float32)
    phases = [
        dataclasses.replace(
            phase, weights=(phase.weights / peaks).astype(np.float16).astype(np.float32)
        )
        for phase in operation.phases
    ]
    arrays = operation.arrays | {"factors": operation.arrays["factors"] * peaks}
    return dataclasses.replace(operation, phases=phases, arrays=arrays)
