"""The two loops that are compared: the textbook's and gankit's, on the same pictures in memory."""

import torch
from gankit_dcgan.nets import Discriminator, Generator
from torch import nn

from gankit import prepare
from gankit.assemble import assemble, resolve
from gankit.composing import compose
from gankit.registry import load_registry


def textbook(pixels, batch_size, base_channels):
    """The DCGAN loop of the tutorials: unfused Adam, D not frozen in G's step, float32."""
    torch.manual_seed(0)
    G, D = Generator(base_channels=base_channels), Discriminator(base_channels=base_channels)
    adam_g = torch.optim.Adam(G.parameters(), 2e-4, (0.5, 0.999), foreach=False, fused=False)
    adam_d = torch.optim.Adam(D.parameters(), 2e-4, (0.5, 0.999), foreach=False, fused=False)
    bce, ones, zeros = nn.BCEWithLogitsLoss(), torch.ones(batch_size), torch.zeros(batch_size)
    images = torch.tensor(pixels[: 8 * batch_size]).permute(0, 3, 1, 2).contiguous()
    images = images.float() / 127.5 - 1

    def step(number):
        first = number % 8 * batch_size
        real = images[first : first + batch_size]
        D.zero_grad()
        bce(D(real), ones).backward()
        fakes = G(torch.randn(batch_size, 100))
        bce(D(fakes.detach()), zeros).backward()
        adam_d.step()
        G.zero_grad()
        g_loss = bce(D(fakes), ones)
        g_loss.backward()
        adam_g.step()
        return g_loss

    return step


def gankit(batch_size, base_channels, precision):
    """gankit's own step on the petals, without tricks."""
    registry = load_registry()
    model = f"dcgan64:base_channels={base_channels}"
    asked = {"model": model, "batch_size": batch_size, "precision": precision}
    run = compose(registry, dataset="petals:count=1024", device="cpu", length="100 steps", **asked)
    prepared = prepare(run, registry, lambda done, total: None)
    game = assemble(resolve(run, prepared), registry, prepared)
    return prepared.pixels, lambda number: game.step(number)["g_loss"]
