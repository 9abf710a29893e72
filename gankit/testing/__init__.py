"""`gankit.testing`: does a part keep to its contract? Three lines in a test tell.

    from gankit import testing

    def test_my_trick():
        testing.check_trick("my-trick:sigma=0.3", off="sigma=0")

A part is named as on the command line, or given as its spec. One that no installed plugin brings
is found in `plugin`, a module or class with the hooks. A broken contract raises BrokenContract, an
AssertionError of one line: the part, its plugin, what is wrong and what mends it.
"""

from os import PathLike

from gankit.testing.broken import BrokenContract as BrokenContract


def check_trick(part, *, plugin=None, off="", beside=None, **run):
    """It trains, acts, says so, repeats itself, resumes bit for bit, and goes with other tricks.

    off: options under which it must change nothing at all, such as `sigma=0`.
    beside: the tricks it is paired with; all that come with gankit if not given, () for none.
    run: settings it needs, as for `gankit.compose`: loss="wasserstein", model="mine".
    """
    from gankit.testing import bench, tricks

    with bench.opened("trick", part, plugin, run) as found:
        tricks.check(found, off, beside)


def check_together(*tricks, plugin=None, **run):
    """These tricks, in this order, train together, and each acts."""
    from gankit.testing import bench
    from gankit.testing.tricks import trains_together

    with bench.opened("trick", tricks[0], plugin, run) as found:
        found.keep_to(trains_together, *tricks)


def check_penalty(part, expected, *, plugin=None, player="D", **run):
    """The trick's penalty is `expected(slope, real, fake)` for a D that is linear.

    D(x) is the sum of slope * x over a picture, so its gradient is `slope` (C, H, W) everywhere.
    """
    from gankit.testing import bench, tricks

    with bench.opened("trick", part, plugin, run) as found:
        tricks.check_penalty(found, expected, player)


def check_generator(part, *, plugin=None, sizes=(16, 32, 64), **run):
    """Images in [-1, 1] at those of the sizes it takes, gradients, copies, resumes."""
    from gankit.testing import bench, networks

    with bench.opened("generator", part, plugin, run) as found:
        networks.check_generator(found, sizes)


def check_discriminator(part, *, plugin=None, sizes=(16, 32, 64), **run):
    """Logits at those of the sizes it takes, gradients of gradients, resumes."""
    from gankit.testing import bench, networks

    with bench.opened("discriminator", part, plugin, run) as found:
        networks.check_discriminator(found, sizes)


def check_model(part, *, plugin=None, **run):
    """Its networks suit each other and train with its own settings, in small batches."""
    from gankit.testing import bench, networks

    with bench.opened("model", part, plugin, run) as found:
        networks.check_model(found)


def check_loss(part, *, plugin=None, **run):
    """One number each, gradients that pull the right way, honest `reads_targets` and `pairs`."""
    from gankit.testing import bench, losses

    with bench.opened("loss", part, plugin, run) as found:
        losses.check(found)


def check_dataset(part, *, plugin=None, data=(), channels=(1, 3)):
    """A sequence of pictures that are the same each time, up to the last.

    data: the person's paths, for a set that reads them.
    """
    from gankit.testing import bench, datasets

    with bench.opened("dataset", part, plugin, {}) as found:
        datasets.check(found, [data] if isinstance(data, str | PathLike) else data, channels)


def check_metric(part, *, plugin=None):
    """Finite numbers, the same each time; a set is nearest to itself; an honest floor."""
    from gankit.testing import bench, metrics

    with bench.opened("metric", part, plugin, {}) as found:
        metrics.check(found)


def check_recipe(part, *, plugin=None, **run):
    """Its settings are settings, its parts are there and train together."""
    from gankit.testing import bench, networks

    with bench.opened("recipe", part, plugin, run) as found:
        networks.check_recipe(found)


def check(kind, part, **how):
    """`check("trick", "r1")` is `check_trick("r1")`, and so on."""
    checks = {name: value for name, value in globals().items() if name.startswith("check_")}
    return checks[f"check_{kind}"](part, **how)


def rehearse(run, registry, progress=lambda done, total: None):
    """Try a run's parts on a game that is thrown away; a GankitError names a broken one.

    `gankit run` does so. Parts that came with gankit are not tried; their tests did that.
    """
    from gankit.testing import rehearsal

    rehearsal.rehearse(run, registry, progress)
