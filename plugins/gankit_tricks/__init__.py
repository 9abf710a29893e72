"""Stabilisation tricks, one file each."""

from gankit import TrickSpec, hookimpl

TRICKS = (
    TrickSpec(
        name="noisy-d",
        summary="instance noise: Gaussian noise on everything D sees, fading out over the run",
        source="Sonderby et al. 2016, arXiv 1610.04490; Arjovsky & Bottou 2017, arXiv 1701.04862",
        build="gankit_tricks.noisy_d:NoisyD",
        lesson=2,
    ),
    TrickSpec(
        name="flip-labels",
        summary="now and then D is told that a real picture is fake",
        source="MathWorks 'Train GAN' example; Chintala et al. 2016, ganhacks 6",
        build="gankit_tricks.flip_labels:FlipLabels",
        lesson=2,
    ),
    TrickSpec(
        name="smooth-labels",
        summary="D's target for real pictures is 0.9, so it is never quite sure",
        source="Salimans et al. 2016, arXiv 1606.03498, section 3.4",
        build="gankit_tricks.smooth_labels:SmoothLabels",
        lesson=2,
    ),
    TrickSpec(
        name="dropout-d",
        summary="half of the numbers in D's input are dropped at random",
        source="MathWorks 'Train GAN' example; Srivastava et al. 2014, JMLR 15",
        build="gankit_tricks.dropout_d:DropoutD",
        lesson=2,
    ),
    TrickSpec(
        name="diffaugment",
        summary="everything D sees is augmented, differentiably: for few pictures",
        source="Zhao et al. 2020, arXiv 2006.10738",
        build="gankit_tricks.diffaugment:DiffAugment",
        lesson=2,
    ),
    TrickSpec(
        name="r1",
        summary="a penalty on D's slope at real pictures",
        source="Mescheder et al. 2018, arXiv 1801.04406; lazily: Karras et al. 2020",
        build="gankit_tricks.r1:R1",
        lesson=2,
    ),
    TrickSpec(
        name="spectral-norm",
        summary="every layer of D is divided by its largest singular value",
        source="Miyato et al. 2018, arXiv 1802.05957",
        build="gankit_tricks.spectral_norm:SpectralNorm",
        lesson=2,
    ),
    TrickSpec(
        name="ema",
        summary="pictures are drawn from a running average of G's weights",
        source="Yazici et al. 2018, arXiv 1806.04498; ramp: Karras et al. 2020, arXiv 1912.04958",
        build="gankit_tricks.ema:EMA",
        lesson=2,
    ),
)


@hookimpl
def register_tricks(register):
    for trick in TRICKS:
        register(trick)
