"""The slope of D at given pictures: what gradient penalties are made of."""

import torch


def gradient(gan, images):
    """grad D(x) at images (N, C, H, W), of their shape; with its graph, so it can be trained.

    It is taken through the other tricks' changes to D's input. The step asks for penalties in
    float32, because a slope is about to be squared.
    """
    images = images.detach().requires_grad_()
    (slope,) = torch.autograd.grad(gan.judge(images).sum(), images, create_graph=True)
    return slope
