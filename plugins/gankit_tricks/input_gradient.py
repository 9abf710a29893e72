"""The gradient of D's logits with respect to its input: what gradient penalties are made of."""

import torch


def input_gradient(gan, images):
    """grad D(x) at images (N, C, H, W), with their shape; it has a graph, so it can be trained.

    It passes through the changes that other tricks make to D's input. The step computes penalties
    in float32, because gradients are squared there.
    """
    images = images.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(gan.judge(images).sum(), images, create_graph=True)
    return gradient
