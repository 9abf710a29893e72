"""The adversarial losses of the literature, one file each."""

from collections.abc import Callable

from gankit import LossSpec, hookimpl

LOSSES = (
    LossSpec(
        name="non-saturating",
        summary="binary cross-entropy; G maximises log D(G(z)): the usual choice",
        source="Goodfellow et al. 2014, arXiv 1406.2661",
        build="gankit_losses.non_saturating:NonSaturating",
        lesson=1,
        default=True,
    ),
    LossSpec(
        name="minimax",
        summary="binary cross-entropy; G minimises log(1 - D(G(z))), which goes flat when D wins",
        source="Goodfellow et al. 2014, arXiv 1406.2661",
        build="gankit_losses.minimax:Minimax",
        lesson=5,
    ),
    LossSpec(
        name="least-squares",
        summary="squared distance of D's logit to its target",
        source="Mao et al. 2016, arXiv 1611.04076",
        build="gankit_losses.least_squares:LeastSquares",
    ),
    LossSpec(
        name="hinge",
        summary="D gets no gradient from pictures that it judges right by a margin of 1",
        source="Lim & Ye 2017, arXiv 1705.02894; Miyato et al. 2018, arXiv 1802.05957",
        build="gankit_losses.hinge:Hinge",
        lesson=11,
    ),
    LossSpec(
        name="wasserstein",
        summary="D is a critic: difference of means; needs a Lipschitz bound such as spectral-norm",
        source="Arjovsky, Chintala & Bottou 2017, arXiv 1701.07875",
        build="gankit_losses.wasserstein:Wasserstein",
        lesson=11,
    ),
    LossSpec(
        name="relativistic",
        summary="D tells which of a pair is real; needs r1, and networks without batch norm",
        source="Jolicoeur-Martineau 2018, arXiv 1807.00734; Huang et al. 2025, arXiv 2501.05441",
        build="gankit_losses.relativistic:Relativistic",
    ),
)


@hookimpl
def register_losses(register: Callable[[LossSpec], None]) -> None:
    for loss in LOSSES:
        register(loss)
