"""Stabilisation tricks, one file each."""

from collections.abc import Callable

from gankit import TrickSpec, hookimpl

TRICKS = (
    TrickSpec(
        name="noisy-d",
        summary="instance noise: Gaussian noise on everything D sees, fading out over the run",
        source="Sonderby et al. 2016, arXiv 1610.04490; Arjovsky & Bottou 2017, arXiv 1701.04862",
        build="gankit_tricks.noisy_d:NoisyD",
        lesson=6,
    ),
    TrickSpec(
        name="blur",
        summary="blurs everything D sees, less and less, at the start of the run",
        source="Karras et al. 2021, arXiv 2106.12423: StyleGAN3's code, configuration R",
        build="gankit_tricks.blur:Blur",
    ),
    TrickSpec(
        name="flip-labels",
        summary="D is told that some real pictures, chosen at random, are fake",
        source="MathWorks 'Train GAN' example; Chintala et al. 2016, ganhacks 6",
        build="gankit_tricks.flip_labels:FlipLabels",
        lesson=6,
    ),
    TrickSpec(
        name="smooth-labels",
        summary="D's target for real pictures is 0.9, so it is never quite sure",
        source="Salimans et al. 2016, arXiv 1606.03498, section 3.4",
        build="gankit_tricks.smooth_labels:SmoothLabels",
        lesson=6,
    ),
    TrickSpec(
        name="noisy-labels",
        summary="a small random number is subtracted from each of D's targets",
        source="Keras' DCGAN example (Chollet 2019), turned round for real = 1",
        build="gankit_tricks.noisy_labels:NoisyLabels",
    ),
    TrickSpec(
        name="dropout-d",
        summary="dropout on D's input: half of its numbers are set to 0 at random",
        source="MathWorks 'Train GAN' example; Srivastava et al. 2014, JMLR 15",
        build="gankit_tricks.dropout_d:DropoutD",
        lesson=6,
    ),
    TrickSpec(
        name="diffaugment",
        summary="differentiable augmentation of everything D sees: for few pictures",
        source="Zhao et al. 2020, arXiv 2006.10738",
        build="gankit_tricks.diffaugment:DiffAugment",
        lesson=10,
    ),
    TrickSpec(
        name="ada",
        summary="augments everything D sees, more often the more D overfits: for few pictures",
        source="Karras et al. 2020, arXiv 2006.06676",
        build="gankit_tricks.ada:ADA",
        lesson=10,
    ),
    TrickSpec(
        name="lecam",
        summary="holds D's logits for reals near its average for fakes, and the reverse",
        source="Tseng et al. 2021, arXiv 2104.03310",
        build="gankit_tricks.lecam:LeCam",
    ),
    TrickSpec(
        name="replay",
        summary="half of the fakes D learns from come from a buffer of old ones",
        source="Shrivastava et al. 2017, arXiv 1612.07828, section 2.3",
        build="gankit_tricks.replay:Replay",
    ),
    TrickSpec(
        name="top-k",
        summary="G learns only from the k fakes of a batch with the highest logits",
        source="Sinha et al. 2020, arXiv 2002.06224",
        build="gankit_tricks.top_k:TopK",
    ),
    TrickSpec(
        name="feature-matching",
        summary="G also learns to match the mean features that D computes for real pictures",
        source="Salimans et al. 2016, arXiv 1606.03498, section 3.1",
        build="gankit_tricks.feature_matching:FeatureMatching",
    ),
    TrickSpec(
        name="historical-averaging",
        summary="pulls the weights of G and D towards the mean of their past values",
        source="Salimans et al. 2016, arXiv 1606.03498, section 3.3",
        build="gankit_tricks.historical_averaging:HistoricalAveraging",
    ),
    TrickSpec(
        name="r1",
        summary="gradient penalty: D's gradient at real pictures is held near 0",
        source="Mescheder et al. 2018, arXiv 1801.04406; lazily: Karras et al. 2020",
        build="gankit_tricks.r1:R1",
        lesson=11,
    ),
    TrickSpec(
        name="r2",
        summary="gradient penalty: like r1, but at fakes",
        source="Mescheder et al. 2018, arXiv 1801.04406; Huang et al. 2025, arXiv 2501.05441",
        build="gankit_tricks.r2:R2",
    ),
    TrickSpec(
        name="wgan-gp",
        summary="gradient penalty: norm 1 between real and fake, for the wasserstein loss",
        source="Gulrajani et al. 2017, arXiv 1704.00028",
        build="gankit_tricks.wgan_gp:WGANGP",
        lesson=11,
    ),
    TrickSpec(
        name="dragan",
        summary="gradient penalty: norm 1 around real pictures",
        source="Kodali et al. 2017, arXiv 1705.07215",
        build="gankit_tricks.dragan:DRAGAN",
    ),
    TrickSpec(
        name="weight-clipping",
        summary="clips D's weights to [-0.01, 0.01] after each update: for the wasserstein loss",
        source="Arjovsky, Chintala & Bottou 2017, arXiv 1701.07875",
        build="gankit_tricks.weight_clipping:WeightClipping",
    ),
    TrickSpec(
        name="gradient-clipping",
        summary="scales a gradient down if its norm is above 1, before the update",
        source="Pascanu et al. 2013, arXiv 1211.5063",
        build="gankit_tricks.gradient_clipping:GradientClipping",
    ),
    TrickSpec(
        name="spectral-norm",
        summary="divides the weights of each layer of D by their largest singular value",
        source="Miyato et al. 2018, arXiv 1802.05957",
        build="gankit_tricks.spectral_norm:SpectralNorm",
        lesson=11,
    ),
    TrickSpec(
        name="minibatch-stddev",
        summary="D also sees how much the pictures of a group differ: against mode collapse",
        source="Karras et al. 2018, arXiv 1710.10196, section 3",
        build="gankit_tricks.minibatch_stddev:MinibatchStddev",
    ),
    TrickSpec(
        name="minibatch-discrimination",
        summary="D learns to measure how close the pictures of a batch are: against mode collapse",
        source="Salimans et al. 2016, arXiv 1606.03498, section 3.2",
        build="gankit_tricks.minibatch_discrimination:MinibatchDiscrimination",
    ),
    TrickSpec(
        name="ttur",
        summary="two time-scales: multiplies D's learning rate by 4",
        source="Heusel et al. 2017, arXiv 1706.08500; factor: Zhang et al. 2018, arXiv 1805.08318",
        build="gankit_tricks.ttur:TTUR",
    ),
    TrickSpec(
        name="lr-decay",
        summary="both learning rates fall linearly to 0 in the second half of the run",
        source="Zhu et al. 2017, arXiv 1703.10593, section 4: CycleGAN",
        build="gankit_tricks.lr_decay:LRDecay",
    ),
    TrickSpec(
        name="grow",
        summary="begins with small pictures, and lets both networks grow to the full size",
        source="Karras et al. 2018, arXiv 1710.10196, section 2",
        build="gankit_tricks.grow:Grow",
    ),
    TrickSpec(
        name="freeze-d",
        summary="freezes D's first layers: for fine-tuning",
        source="Mo, Cho & Shin 2020, arXiv 2002.10964",
        build="gankit_tricks.freeze_d:FreezeD",
    ),
    TrickSpec(
        name="ema",
        summary="draws pictures from an exponential moving average of G's weights",
        source="Yazici et al. 2018, arXiv 1806.04498; ramp: Karras et al. 2020, arXiv 1912.04958",
        build="gankit_tricks.ema:EMA",
        lesson=10,
    ),
)


@hookimpl
def register_tricks(register: Callable[[TrickSpec], None]) -> None:
    for trick in TRICKS:
        register(trick)
