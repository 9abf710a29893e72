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
        summary="everything D sees is blurred at first, then less and less",
        source="Karras et al. 2021, arXiv 2106.12423: StyleGAN3's code, configuration R",
        build="gankit_tricks.blur:Blur",
    ),
    TrickSpec(
        name="flip-labels",
        summary="now and then D is told that a real picture is fake",
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
        summary="a little random number is taken off every target of D",
        source="Keras' DCGAN example (Chollet 2019), turned round for real = 1",
        build="gankit_tricks.noisy_labels:NoisyLabels",
    ),
    TrickSpec(
        name="dropout-d",
        summary="half of the numbers in D's input are dropped at random",
        source="MathWorks 'Train GAN' example; Srivastava et al. 2014, JMLR 15",
        build="gankit_tricks.dropout_d:DropoutD",
        lesson=6,
    ),
    TrickSpec(
        name="diffaugment",
        summary="everything D sees is augmented, differentiably: for few pictures",
        source="Zhao et al. 2020, arXiv 2006.10738",
        build="gankit_tricks.diffaugment:DiffAugment",
        lesson=10,
    ),
    TrickSpec(
        name="ada",
        summary="everything D sees is augmented, as often as D seems to know the pictures by heart",
        source="Karras et al. 2020, arXiv 2006.06676",
        build="gankit_tricks.ada:ADA",
        lesson=10,
    ),
    TrickSpec(
        name="lecam",
        summary="D's answers are held near those it used to give for the other side",
        source="Tseng et al. 2021, arXiv 2104.03310",
        build="gankit_tricks.lecam:LeCam",
    ),
    TrickSpec(
        name="replay",
        summary="half of the fakes D learns from are old ones, so it does not forget",
        source="Shrivastava et al. 2017, arXiv 1612.07828, section 2.3",
        build="gankit_tricks.replay:Replay",
    ),
    TrickSpec(
        name="top-k",
        summary="G learns only from those fakes of a batch that D likes best",
        source="Sinha et al. 2020, arXiv 2002.06224",
        build="gankit_tricks.top_k:TopK",
    ),
    TrickSpec(
        name="feature-matching",
        summary="G matches the mean of what D's last layer sees in real pictures",
        source="Salimans et al. 2016, arXiv 1606.03498, section 3.1",
        build="gankit_tricks.feature_matching:FeatureMatching",
    ),
    TrickSpec(
        name="historical-averaging",
        summary="weights are drawn towards the mean of what they were so far",
        source="Salimans et al. 2016, arXiv 1606.03498, section 3.3",
        build="gankit_tricks.historical_averaging:HistoricalAveraging",
    ),
    TrickSpec(
        name="r1",
        summary="a penalty on D's slope at real pictures",
        source="Mescheder et al. 2018, arXiv 1801.04406; lazily: Karras et al. 2020",
        build="gankit_tricks.r1:R1",
        lesson=11,
    ),
    TrickSpec(
        name="r2",
        summary="a penalty on D's slope at fakes: r1 from the other side",
        source="Mescheder et al. 2018, arXiv 1801.04406; Huang et al. 2025, arXiv 2501.05441",
        build="gankit_tricks.r2:R2",
    ),
    TrickSpec(
        name="wgan-gp",
        summary="D's slope between real and fake is held at 1: for the wasserstein loss",
        source="Gulrajani et al. 2017, arXiv 1704.00028",
        build="gankit_tricks.wgan_gp:WGANGP",
        lesson=11,
    ),
    TrickSpec(
        name="dragan",
        summary="D's slope around real pictures is held at 1",
        source="Kodali et al. 2017, arXiv 1705.07215",
        build="gankit_tricks.dragan:DRAGAN",
    ),
    TrickSpec(
        name="weight-clipping",
        summary="every weight of D is kept between -0.01 and 0.01: for the wasserstein loss",
        source="Arjovsky, Chintala & Bottou 2017, arXiv 1701.07875",
        build="gankit_tricks.weight_clipping:WeightClipping",
    ),
    TrickSpec(
        name="gradient-clipping",
        summary="gradients that are too long are shortened before the update",
        source="Pascanu et al. 2013, arXiv 1211.5063",
        build="gankit_tricks.gradient_clipping:GradientClipping",
    ),
    TrickSpec(
        name="spectral-norm",
        summary="every layer of D is divided by its largest singular value",
        source="Miyato et al. 2018, arXiv 1802.05957",
        build="gankit_tricks.spectral_norm:SpectralNorm",
        lesson=11,
    ),
    TrickSpec(
        name="minibatch-stddev",
        summary="D's last layer is told how much the pictures of a group differ",
        source="Karras et al. 2018, arXiv 1710.10196, section 3",
        build="gankit_tricks.minibatch_stddev:MinibatchStddev",
    ),
    TrickSpec(
        name="minibatch-discrimination",
        summary="D learns to measure how close each picture is to the rest of its batch",
        source="Salimans et al. 2016, arXiv 1606.03498, section 3.2",
        build="gankit_tricks.minibatch_discrimination:MinibatchDiscrimination",
    ),
    TrickSpec(
        name="ttur",
        summary="two time-scales: D's learning rate is four times its setting",
        source="Heusel et al. 2017, arXiv 1706.08500; factor: Zhang et al. 2018, arXiv 1805.08318",
        build="gankit_tricks.ttur:TTUR",
    ),
    TrickSpec(
        name="lr-decay",
        summary="both learning rates fall to zero in the second half of the run",
        source="Zhu et al. 2017, arXiv 1703.10593, section 4: CycleGAN",
        build="gankit_tricks.lr_decay:LRDecay",
    ),
    TrickSpec(
        name="freeze-d",
        summary="D's first layers do not learn: for fine-tuning",
        source="Mo, Cho & Shin 2020, arXiv 2002.10964",
        build="gankit_tricks.freeze_d:FreezeD",
    ),
    TrickSpec(
        name="ema",
        summary="pictures are drawn from a running average of G's weights",
        source="Yazici et al. 2018, arXiv 1806.04498; ramp: Karras et al. 2020, arXiv 1912.04958",
        build="gankit_tricks.ema:EMA",
        lesson=10,
    ),
)


@hookimpl
def register_tricks(register: Callable[[TrickSpec], None]) -> None:
    for trick in TRICKS:
        register(trick)
