"""The hooks, which register the parts. Every gankit command imports this, so it omits torch."""

from collections.abc import Callable

from gankit import LossSpec, TrickSpec, hookimpl


@hookimpl
def register_losses(register: Callable[[LossSpec], None]) -> None:
    register(
        LossSpec(
            name="hinge-margin",
            summary="the hinge loss; D's loss is 0 once its answers are right by `margin`",
            source="Lim & Ye 2017, arXiv 1705.02894, where the margin is 1",
            build="gankit_hinge.parts:HingeMargin",  # imported when a run asks for it
        )
    )


@hookimpl
def register_tricks(register: Callable[[TrickSpec], None]) -> None:
    register(
        TrickSpec(
            name="drift",
            summary="keeps D's answers to real pictures from drifting away from 0",
            source="Karras et al. 2018, arXiv 1710.10196, appendix A.1",
            build="gankit_hinge.parts:Drift",
        )
    )
