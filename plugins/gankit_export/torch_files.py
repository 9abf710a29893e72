"""`gankit export --format torch`: weights, and files that draw with them without gankit."""

from __future__ import annotations

import io
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from gankit.core.class_labels import ROW
from gankit.core.errors import GankitError
from gankit.core.files.atomic_write import write_atomically
from gankit.core.files.read_file import read_regular_file
from gankit.core.parts.registry import Registry, registry_of
from gankit.core.printable import printable
from gankit.core.shell import quote_word
from gankit.data.alpha import ALPHA
from gankit.runs.provenance import Provenance, entries_of
from gankit.runs.sampler import Sampler
from gankit.training.weights.network_size import network_size
from gankit_export.exact import (
    cannot_export,
    inputs_of_seeds,
    require_repeatable,
    require_same_pictures,
)
from gankit_export.source import NotSelfContained, source_of

WEIGHTS, SOURCE, PROGRAM, DRAW = "netG.pth", "generator.py", "netG.pt2", "draw.py"

LICENCE = "Copyright (c) 2026 The gankit authors"
COPIED = "Copied from the plugin"
# A file of an earlier export, of any version of gankit, has one of these texts.
MARKS = {SOURCE: (f"# {LICENCE}", f"# {COPIED}"), DRAW: ("`gankit sample RUN ",)}
MAX_BYTES = 1 << 20  # of such a file

DRAW_TEXT = '''\
"""Draw the pictures of seeds with torch, NumPy and Pillow, without gankit: {usage}

{about}
"""

# {made_by}
# {run}
{modules}
from pathlib import Path

import torch
from PIL import Image
{imports}
folder = Path(__file__).parent
{network}

{loop}
    digest = hashlib.blake2b(f"{{seed}}/0/z".encode(), digest_size=8).digest()
    random = torch.Generator().manual_seed(int.from_bytes(digest, "little") >> 1)
    z = torch.randn(1, {latent_dim}, generator=random)
    with torch.no_grad():
        image = netG({inputs})[0]  # ({channels}, {height}, {width}), from -1 to 1
    pixels = image.clamp(-1, 1).add(1).mul(127.5).round().int()
{pixels}
    picture = Image.fromarray(pixels.byte().permute(1, 2, 0).numpy())
    picture.save({file})
'''
WITHOUT_CLASSES = {
    "usage": "python draw.py 0 1 2",
    "about": "The picture of a seed is that of `gankit sample RUN --count 1 --seed SEED`.",
    "modules": "import hashlib\nimport sys",
    "loop": 'for seed in map(int, sys.argv[1:] or ["0"]):',
    "inputs": "z",
    "file": 'f"seed-{seed}.png"',
}
WITH_CLASSES = {
    "usage": "python draw.py 0 1 2 --class NAME",
    "about": "The picture of a seed is that of `gankit sample RUN --count 1 --seed SEED`, with\n"
    "the same --class. If you name no class, the classes take turns.",
    "modules": "import argparse\nimport hashlib",
    "inputs": "z, torch.tensor([label])",
    "file": 'f"seed-{seed}-class-{label}.png"',
}
CLASSES_LOOP = """\
names = {names!r}
parser = argparse.ArgumentParser()
parser.add_argument("seeds", nargs="*", type=int, default=[0])
parser.add_argument("--class", dest="name", choices=names)
arguments = parser.parse_args()

for seed in arguments.seeds:
    label = names.index(arguments.name) if arguments.name else seed // {in_a_row} % len(names)"""
OPAQUE = "    pixels = pixels.expand(3, -1, -1)"
TRANSPARENT = """\
    alpha = pixels[3:]  # colours are premultiplied: they are divided by alpha
    colours = (pixels[:3].minimum(alpha) * 255 + alpha // 2) // alpha.clamp(min=1)
    pixels = torch.cat([colours, alpha])"""
WITH_SOURCE = """\
netG = {call}.eval()
netG.load_state_dict(torch.load(folder / "netG.pth", weights_only=True))"""
WITH_PROGRAM = 'netG = torch.export.load(folder / "netG.pt2").module()'


def write_torch(
    sampler: Sampler, folder: Path, provenance: Provenance, registry: Registry | None = None
) -> list[str]:
    """Write the generator's weights, its source, and a file that draws; returns notes about them.

    If the source needs more than torch, the network is written as a program of torch.export in its
    place. GankitError if neither draws the same pictures, or if a file would be replaced that is
    not of an earlier export. Raises OSError.
    """
    check_folder(folder)
    require_repeatable(sampler)
    registry = registry_of(sampler.run, registry)
    try:
        weights, source, call = _with_source(sampler, registry)
    except NotSelfContained as error:
        why = f"{SOURCE} is not written, because {error}: {DRAW} uses {PROGRAM} in its place"
        files: dict[str, bytes | str] = {
            DRAW: _draw_text(sampler, provenance, WITH_PROGRAM),
            WEIGHTS: _to_bytes(_tensors(sampler.net.state_dict())),
            PROGRAM: _program(sampler),
        }
        notes = [why]
    else:
        imports = f"\nfrom generator import {call.partition('(')[0]}\n"
        network = WITH_SOURCE.format(call=call)
        files = {
            DRAW: _draw_text(sampler, provenance, network, imports),
            WEIGHTS: _to_bytes(weights),
            SOURCE: f"# {_licence(sampler, registry)}\n{source}",
        }
        notes = []
    for name, content in files.items():  # draw.py first: it marks the folder as an export
        write_atomically(folder / name, content)
    return [*notes, f"python {quote_word(str(folder / DRAW))} 0 1 2 draws three pictures with it"]


def check_folder(folder: Path) -> None:
    """GankitError if a file in `folder` that is not of an earlier export would be replaced."""
    exported = {name for name in MARKS if _is_marked(folder / name, MARKS[name])}
    if exported:
        exported |= {WEIGHTS, PROGRAM}  # which have no mark of their own
    for name in (SOURCE, DRAW, WEIGHTS, PROGRAM):
        if (folder / name).exists() and name not in exported:
            raise GankitError(
                f"--format torch would replace {folder / name}, which is not of an earlier export: "
                "choose another folder with --out"
            )


def _is_marked(path: Path, marks: tuple[str, ...]) -> bool:
    try:
        text = read_regular_file(path, MAX_BYTES).decode(errors="replace")
    except GankitError:
        return False
    return any(mark in text for mark in marks)


def _with_source(sampler: Sampler, registry: Registry) -> tuple[dict[str, Tensor], str, str]:
    """The weights, the source that they belong to, and the call that makes the network of it.

    NotSelfContained if the source needs more than torch, or does not draw the same pictures.
    """
    spec = registry.find("generator", sampler.run.generator.name)
    builder = spec.builder()
    source = source_of(builder)
    run = sampler.run
    size = network_size(registry, "generator", run.generator, run.size)
    values = {"image_size": size, "channels": run.channels, "latent_dim": run.latent_dim}
    if run.class_names:
        values["num_classes"] = len(run.class_names)
    of_run = {name: value for name, value in values.items() if name in spec.parameters()}
    arguments = of_run | dict(run.generator.options)
    words = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    try:
        names: dict[str, Any] = {"__name__": "generator"}
        exec(compile(source, SOURCE, "exec"), names)
        net = names[builder.__name__](**arguments).eval()
        net.load_state_dict(_plain_state(sampler.net, net))
        with torch.no_grad():
            images = net(*inputs_of_seeds(sampler))
        require_same_pictures(sampler, images, SOURCE)
    except Exception as error:  # the code may be anybody's
        raise NotSelfContained(f"its copy fails ({type(error).__name__}: {error})") from error
    return _tensors(net.state_dict()), source, f"{builder.__name__}({words})"


def _plain_state(trained: nn.Module, plain: nn.Module) -> dict[str, Any]:
    """The tensors of a trained network, without the parametrizations that a trick has added to it.

    The weight that one computed, such as that of spectral norm, becomes a plain weight.
    """
    state = trained.state_dict()
    for place, module in plain.named_modules():
        changed = trained.get_submodule(place)
        if not is_parametrized(changed) or is_parametrized(module):
            continue
        start = f"{place}." if place else ""
        for name in changed.parametrizations:  # type: ignore[union-attr]
            added = [key for key in state if key.startswith(f"{start}parametrizations.{name}.")]
            for key in added:
                del state[key]
            state[f"{start}{name}"] = getattr(changed, str(name))
    return state


def _tensors(state: dict[str, Any]) -> dict[str, Tensor]:
    return OrderedDict((name, value.detach().cpu().clone()) for name, value in state.items())


def _to_bytes(weights: dict[str, Tensor]) -> bytes:
    file = io.BytesIO()
    torch.save(weights, file)
    return file.getvalue()


def _program(sampler: Sampler) -> bytes:
    """The network as a program of torch.export, for any number of z. GankitError."""
    inputs = inputs_of_seeds(sampler)
    batch = torch.export.Dim("batch")
    file = io.BytesIO()
    try:
        program = torch.export.export(
            sampler.net, inputs, dynamic_shapes=tuple({0: batch} for _ in inputs)
        )
        torch.export.save(program, file)
        images = program.module()(*inputs)
    except Exception as error:  # torch cannot trace every network
        why = f"torch.export says {type(error).__name__}: {error}"
        raise cannot_export(sampler, "torch", why) from error
    require_same_pictures(sampler, images, PROGRAM)
    return file.getvalue()


def _draw_text(sampler: Sampler, provenance: Provenance, network: str, imports: str = "") -> str:
    run = sampler.run
    sizes = {"height": run.size.height, "width": run.size.width}
    values = {**sizes, "channels": run.channels, "latent_dim": run.latent_dim}
    entries = entries_of(provenance)
    made_by = f"{entries.get('command')} (gankit {entries.get('version')})"
    of_run = f"Step {sampler.step} of the run: {entries.get('run')}"
    # A line break in a comment would make code of what follows.
    comments = {"made_by": printable(made_by), "run": printable(of_run)}
    pixels = TRANSPARENT if run.channels == ALPHA else OPAQUE
    parts = {"imports": imports, "network": network, "pixels": pixels, **_class_parts(sampler)}
    return DRAW_TEXT.format(**parts, **comments, **values)


def _class_parts(sampler: Sampler) -> dict[str, str]:
    """The parts of draw.py that differ if a class is to be chosen."""
    names = tuple(sampler.class_names)
    if not names:
        return WITHOUT_CLASSES
    in_a_row = ROW if len(names) <= ROW else 1  # as labels_in_turn
    return {**WITH_CLASSES, "loop": CLASSES_LOOP.format(names=names, in_a_row=in_a_row)}


def _licence(sampler: Sampler, registry: Registry) -> str:
    name = sampler.run.generator.name
    if registry.comes_with_gankit("generator", name):
        return f"{LICENCE}. MIT licence: keep this line in copies."
    origin = printable(registry.owner(registry.find("generator", name)).origin)
    return f"{COPIED} {origin}, whose licence holds."
