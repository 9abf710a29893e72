"""Pictures streamed from tars: each one once an epoch, in an order that a resumed run repeats."""

import io
import os
import signal
import sys
import tarfile

import numpy as np
import pytest
import torch
from gankit_metrics.picture_sets import choose_picture_sets
from PIL import Image

import gankit
from gankit import GankitError, compose
from gankit.core.errors import RunFailed, RunStopped
from gankit.core.process_group import ProcessGroup
from gankit.data.stream import tars
from gankit.data.stream.shards import Shards
from gankit.training.assemble import assemble, resolve_auto
from gankit.training.checkpoints import checkpoint
from gankit.training.run_folder.run_file import load_run
from gankit.training.train import train

webdataset = pytest.importorskip("webdataset")
NUM_SHARDS = 5
PER_SHARD = 12  # pictures
BLOCK = "shards:block=8"


def picture(shard, number):
    """A picture whose colour encodes its shard and number."""
    return Image.new("RGB", (16, 16), (40 * shard + 3, 10 * number + 5, 77))


def which(pixels):
    """(shard, number) of the pictures in an array (N, H, W, C)."""
    return [(int(p[0, 0, 0]) // 40, int(p[0, 0, 1]) // 10) for p in pixels]


def png(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Five tars of twelve pictures, with captions, as webdataset writes them."""
    monkeypatch.setenv("GANKIT_CACHE", str(tmp_path / "cache"))
    place = tmp_path / "shards"
    place.mkdir()
    for shard in range(NUM_SHARDS):
        with webdataset.TarWriter(str(place / f"part-{shard:03d}.tar")) as tar:
            for number in range(PER_SHARD):
                caption = f"picture {number}"
                about = {"__key__": f"{number:04d}", "txt": caption}
                tar.write({**about, "png": png(picture(shard, number))})
    return place


def rewrite(path, changed):
    """Rewrite a shard with `changed(name, data)` in place of each file's bytes."""
    with tarfile.open(path) as tar:
        files = [(entry, tar.extractfile(entry).read()) for entry in tar]
    with tarfile.open(path, "w") as tar:
        for entry, data in files:
            data = changed(entry.name, data)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))


@pytest.fixture
def ready(folder, registry, tiny):
    """`ready(seed=1)`: the run and its prepared data set."""

    def prepare(**settings):
        settings = {"dataset": BLOCK, "data": (str(folder),), "batch_size": 6, **settings}
        run = compose(registry, **tiny(**settings))
        return run, gankit.prepare(run, registry, lambda done, total: None)

    return prepare


def stream(run, prepared, group=ProcessGroup(), **before):  # noqa: B008 - it is frozen
    return prepared.make_batches(
        pixels=prepared.pixels,
        rows=prepared.train,
        batch_size=run.batch_size,
        seed=run.seed,
        flip=run.flip,
        dihedral=run.dihedral,
        share=group.share,
        **before,
    )


def names(batches, numbers):
    """Which pictures are in some batches."""
    images = [((batches[n] + 1) * 127.5).round().permute(0, 2, 3, 1).numpy() for n in numbers]
    return [name for batch in images for name in which(batch)]


ALL = [(shard, number) for shard in range(NUM_SHARDS) for number in range(PER_SHARD)]


def test_an_epoch_has_every_picture_once(ready):
    batches = stream(*ready())
    epochs = [names(batches, range(first, first + 10)) for first in (0, 10, 20)]
    assert [sorted(epoch) for epoch in epochs] == [ALL] * 3
    assert epochs[0] != epochs[1] != epochs[2]  # each in another order


def test_pictures_come_shard_after_shard_shuffled_in_blocks(ready):
    order = names(stream(*ready()), range(10))
    for block in range(0, 60, 8):
        assert len({shard for shard, _ in order[block : block + 8]}) <= 2
    assert [n for _, n in order[:8]] != sorted(n for _, n in order[:8])


def test_the_order_depends_on_the_seed(ready):
    first = names(stream(*ready()), range(12))
    assert names(stream(*ready()), range(12)) == first
    assert names(stream(*ready(seed=1)), range(12)) != first


@pytest.mark.parametrize("start", [1, 3, 9, 10, 24])
def test_a_stream_can_start_at_any_batch(ready, start):
    run, prepared = ready(batch_size=7)  # batches that cross blocks, shards and epochs
    whole = names(stream(run, prepared), range(start + 4))
    assert names(stream(run, prepared), range(start, start + 4)) == whole[7 * start :]
    changed = stream(run, prepared, batches_before=2, pictures_before=start)
    assert names(changed, range(2, 5)) == whole[start : start + 21]
    back = stream(run, prepared)
    assert names(back, [start, 0, start]) == [*whole[7 * start :][:7], *whole[:7],
                                              *whole[7 * start :][:7]]  # fmt: skip


def test_processes_split_the_shards(ready):
    run, prepared = ready(holdout=0.2)  # four shards to train on
    shown = [names(stream(run, prepared, ProcessGroup(rank, 2)), range(8)) for rank in (0, 1)]
    first, second = shown
    assert (len(first), len(second)) == (24, 24)  # half a batch each
    assert not {shard for shard, _ in first} & {shard for shard, _ in second}
    assert sorted(first + second) == sorted(set(first + second))  # an epoch, once each
    again = names(stream(run, prepared, ProcessGroup(1, 2)), range(5, 8))
    assert again == second[15:]
    with pytest.raises(GankitError, match="^4 .* 6 processes"):
        stream(run, prepared, ProcessGroup(0, 6))


def test_whole_shards_are_held_out_and_never_trained_on(ready):
    run, prepared = ready(holdout=0.4)
    held = {shard for shard, _ in which(prepared.pixels[prepared.holdout])}
    trained = {shard for shard, _ in names(stream(run, prepared), range(12))}
    assert len(held) == 2
    assert trained == set(range(NUM_SHARDS)) - held
    assert {s for s, _ in which(prepared.pixels[prepared.train])} == trained
    assert (len(prepared.holdout), prepared.num_train) == (24, 36)
    sets = choose_picture_sets(prepared, 500, run.data_seed)
    assert sets.against == "hold-out"
    other = {s for s, _ in which(ready(holdout=0.4, data_seed=2)[1].pixels[:24])}
    assert other != held
    with pytest.raises(GankitError, match="--holdout 0.95"):
        ready(holdout=0.95)


def test_only_a_sample_is_prepared(ready):
    _, prepared = ready(dataset="shards:block=8,sample=15", holdout=0.2)
    assert len(prepared.pixels) == 15
    assert (len(prepared.holdout), len(prepared.train)) == (7, 8)
    assert prepared.num_train == 48
    shown = [shard for shard, _ in which(prepared.pixels[prepared.train])]
    assert len(set(shown)) == 4  # some of each shard


def test_a_broken_picture_is_reported_and_moves_no_other(ready, folder, caplog):
    untouched = stream(*ready(holdout=0.2))
    whole = names(untouched, range(16))
    untouched._next_block.result()  # it reads ahead, and must not see what is written now
    broken = next(name for name in whole if name[1] == 4)
    path = folder / f"part-{broken[0]:03d}.tar"
    rewrite(path, lambda name, data: data[:40] if name == "0004.png" else data)
    run, prepared = ready(holdout=0.2)
    found = names(stream(run, prepared), range(16))
    assert broken not in found
    assert [new for new, old in zip(found, whole, strict=True) if old != broken] == [
        old for old in whole if old != broken
    ]
    assert caplog.text.count(f"{path.name}/0004.png") == 1  # in two epochs
    assert len(prepared.pixels) == 59
    assert len(prepared.skipped) == 1
    held = {shard for shard, _ in which(prepared.pixels[prepared.holdout])}
    assert broken[0] not in held
    assert len(held) == 1  # rows are still those of their shards


def test_a_run_stops_if_most_pictures_are_broken(ready, folder):
    run, prepared = ready()
    for path in folder.iterdir():
        rewrite(path, lambda name, data: b"nothing" if name.endswith("png") else data)
    with pytest.raises(RunFailed, match=" 8 .* 8 "):
        stream(run, prepared)[0]


def test_grey_shards_make_grey_pictures(ready, folder):
    for path in folder.iterdir():
        rewrite(path, lambda name, data: data if name.endswith("txt") else _grey(data))
    run, prepared = ready()
    assert prepared.pixels.shape[3] == 1
    assert stream(run, prepared)[0].shape == (6, 1, 16, 16)


def _grey(data):
    return png(Image.open(io.BytesIO(data)).convert("L"))


def test_shards_are_counted_once(ready, folder, monkeypatch):
    assert ready()[1].num_train == 60
    monkeypatch.setattr(tars, "_count_in_tar", lambda path: pytest.fail("counted again"))
    assert ready()[1].num_train == 60
    counted = []
    monkeypatch.setattr(tars, "_count_in_tar", lambda path: counted.append(path.name) or 3)
    rewrite(folder / "part-002.tar", lambda name, data: data + b"0")
    assert ready()[1].num_train == 51
    assert counted == ["part-002.tar"]


def test_hidden_files_and_compressed_tars(folder):
    with tarfile.open(folder / "more.tar.gz", "w:gz") as tar:
        for name in ("./a.JPG", "b.txt", "._c.png", "__meta__/d.png", "sub/e.webp"):
            tar.addfile(tarfile.TarInfo(name))
    path = folder / "more.tar.gz"
    assert [member.name for member in tars.iter_pictures(tars.Shard(path, 2))] == [
        "more.tar.gz/./a.JPG",
        "more.tar.gz/sub/e.webp",
    ]
    assert [shard.count for shard in Shards((str(path),)).shards] == [2]


# --- mistakes: one line each, before training begins


def refused(gankit_run, *options):
    code, _, err = gankit_run("--dataset", BLOCK, *options)
    assert (code, err.count("\n")) == (2, 1)
    return err


def test_mistakes_get_one_clear_line(gankit_run, folder, here):
    (here / "empty").mkdir()
    numbered = folder / "part-{000..007}.tar"
    assert f"{folder}/part-005.tar" in refused(gankit_run, "--data", numbered)
    assert "empty" in refused(gankit_run, "--data", "empty")
    assert "--data" in refused(gankit_run)
    data = ("--data", folder)
    assert "--subset" in refused(gankit_run, *data, "--subset", 9)
    assert "--fit patches" in refused(gankit_run, *data, "--fit", "patches")
    assert "--classes" in refused(gankit_run, *data, "--classes", "rose")
    shard = folder / "part-001.tar"
    shard.write_bytes(shard.read_bytes()[:1800])
    assert str(shard) in refused(gankit_run, *data)
    shard.write_text("not a tar at all")
    assert str(shard) in refused(gankit_run, *data)


def test_without_the_library_the_extra_is_named(gankit_run, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "braceexpand", None)
    assert 'pip install "gankit[webdataset]"' in refused(gankit_run, "--data", folder)


@pytest.mark.parametrize("filled", [b"\0", b"x"])
def test_a_shard_that_is_damaged_later_stops_the_run(gankit_run, folder, filled):
    argv = ("--dataset", BLOCK, "--data", folder, "--out", "run", "--save-every", 1)
    assert gankit_run(*argv, "--steps", 2).code == 0
    for path in folder.iterdir():  # the counts and the sample are still there
        about = path.stat()
        path.write_bytes(filled * about.st_size)
        os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    code, _, err = gankit_run(*argv[:4], "--out", "other")
    assert (code, err.count("\n")) == (1, 1)
    assert str(folder) in err
    assert "--resume" in err


# --- whole runs


def test_a_resumed_run_ends_as_if_it_had_never_stopped(folder, registry, tiny, tmp_path):
    settings = {"dataset": BLOCK, "data": (str(folder),), "flip": True, "length": "12 steps"}

    def run(name):
        return compose(registry, **tiny(**settings), tricks=["ema"], out=str(tmp_path / name))

    whole = train(run("whole"), registry)
    signals = iter([0] * 6 + [signal.SIGINT])
    with pytest.raises(RunStopped):
        train(run("parts"), registry, stop=lambda: next(signals))
    train(load_run(tmp_path / "parts"), registry, resume=True)
    uninterrupted, resumed = (
        checkpoint.load_newest(tmp_path / n / "checkpoints")[1] for n in ("whole", "parts")
    )
    assert (uninterrupted.step, resumed.step) == (12, 12)
    for net, weights in uninterrupted.model.items():
        assert all(torch.equal(value, resumed.model[net][key]) for key, value in weights.items())
    assert '"train": 60' in (whole / "run.json").read_text()


def test_epochs_and_the_plan_count_what_is_streamed(gankit_run, folder):
    argv = ("--dataset", "shards:sample=10", "--data", folder, "--epochs", 2, "--dry-run")
    out = gankit_run(*argv).out
    assert "60 pictures" in out
    assert "2.0 epochs" in out
    assert "15 steps" in out  # 2 x 60 / 8


def test_the_trainer_takes_its_batches_from_the_stream(ready, registry):
    run, prepared = ready()
    trainer = assemble(resolve_auto(run, prepared), registry, prepared)
    assert type(trainer.batches).__name__ == "StreamedBatches"
    assert np.isfinite(float(trainer.step(0)["d_loss"]))


def test_deep_pictures_share_a_white(folder):
    """The third shard is the brightest: its white holds for all, at every place in the stream."""
    for number, path in enumerate(sorted(folder.iterdir())):
        largest = 4095 if number == 3 else 1000
        image = Image.fromarray(np.full((16, 16), largest, np.uint16))
        rewrite(path, lambda name, data, image=image: png(image) if "png" in name else data)
    shards = Shards((str(folder),))
    values = [
        shards.decode(picture).getpixel((0, 0))
        for shard in shards.shards
        for picture in tars.iter_pictures(shard)
    ]
    assert values == [62] * 36 + [255] * 12 + [62] * 12
    assert "60 pictures" in shards.first_pictures.notes[0]
