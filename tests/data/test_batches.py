"""Prepared pictures become batches."""

from collections import Counter

import numpy as np
import pytest
import torch

from gankit import GankitError
from gankit.core.process_group import ProcessGroup
from gankit.data.batches import Batches


def pixels_of(count=10, size=4, channels=3):
    random = np.random.default_rng(1)
    return random.integers(0, 256, (count, size, size, channels), dtype=np.uint8)


def numbered(count):
    """Pictures whose every value is their number."""
    return np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, 1, 1, 1))


def numbers(images):
    return ((images.flatten() + 1) * 127.5).round().int().tolist()


@pytest.mark.parametrize("batch_size", [1, 3, 4, 10])
def test_every_epoch_shows_every_picture_once(batch_size):
    batches = Batches(numbered(10), batch_size, seed=5)
    shown = [n for i in range(30) for n in numbers(batches[i])]
    epochs = [shown[i : i + 10] for i in range(0, len(shown) - 9, 10)]
    assert len(epochs) == 3 * batch_size
    assert all(sorted(epoch) == list(range(10)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) > 1


def test_a_batch_crosses_from_one_epoch_to_the_next():
    batches = Batches(numbered(10), 4, seed=5)
    shown = numbers(torch.cat([batches[i] for i in range(5)]))
    assert len(batches[2]) == 4
    assert sorted(shown[:10]) == sorted(shown[10:]) == list(range(10))


def test_a_batch_depends_on_its_number_and_the_seed_only():
    straight = [Batches(numbered(50), 8, seed=1)[i] for i in range(20)]
    jumping = Batches(numbered(50), 8, seed=1)
    for i in (19, 0, 7, 7, 3):
        assert torch.equal(jumping[i], straight[i])
    other = Batches(numbered(50), 8, seed=2)
    assert not torch.equal(other[0], straight[0])


def test_bytes_become_numbers_from_minus_one_to_one():
    batches = Batches(np.arange(256, dtype=np.uint8).reshape(256, 1, 1, 1), 256, seed=0)
    images = batches[0].flatten().sort().values
    expected = torch.arange(256, dtype=torch.float32) / 127.5 - 1
    assert torch.allclose(images, expected, rtol=0, atol=1.5e-7)  # one rounding, not two
    assert len(images.unique()) == 256
    assert images[0] == -1


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("channels", [1, 3])
def test_batches_have_the_requested_memory_format(layout, channels):
    images = Batches(pixels_of(channels=channels), 5, 0, memory_format=layout)[0]
    assert images.shape == (5, channels, 4, 4)
    assert images.dtype == torch.float32
    assert images.is_contiguous(memory_format=layout)
    if layout == torch.contiguous_format:  # layers go by the strides, also those of one channel
        assert images.stride() == (16 * channels, 16, 4, 1)
    assert torch.equal(images, Batches(pixels_of(channels=channels), 5, 0)[0])


def test_channels_and_rows_are_not_mixed_up():
    pixels = pixels_of(count=1)
    image = Batches(pixels, 1, 0)[0][0]
    for row, column, channel in np.ndindex(4, 4, 3):
        value = pixels[0, row, column, channel]
        assert image[channel, row, column] == pytest.approx(float(value) / 127.5 - 1, abs=1.5e-7)


def test_fewer_pictures_than_a_batch_are_refused():
    with pytest.raises(GankitError, match="10 .* 11.*--batch-size 10"):
        Batches(pixels_of(10), 11, 0)
    assert len(Batches(pixels_of(10), 10, 0)[0]) == 10


def test_only_the_given_rows_are_used():
    batches = Batches(numbered(10), 3, seed=5, rows=np.array([1, 4, 8]))
    for i in range(5):
        assert sorted(numbers(batches[i])) == [1, 4, 8]


def test_too_few_rows_are_refused():
    with pytest.raises(GankitError, match="--batch-size 3"):
        Batches(numbered(10), 4, seed=5, rows=np.array([1, 4, 8]))


def positions(pixels, **turns):
    """How often each of the 8 rotations and mirror images occurs in 400 batches."""
    plain = Batches(pixels, len(pixels), 3)
    turned = Batches(pixels, len(pixels), 3, **turns)
    seen = Counter()
    for i in range(400):
        for before, after in zip(plain[i], turned[i], strict=True):
            eight = [m.rot90(k, (1, 2)) for m in (before, before.flip(2)) for k in range(4)]
            (position,) = [k for k, picture in enumerate(eight) if torch.equal(picture, after)]
            seen[position] += 1
    return seen


def test_flip_mirrors_half_of_the_pictures():
    seen = positions(pixels_of(4), flip=True)
    assert set(seen) == {0, 4}
    assert 700 < seen[4] < 900


def test_dihedral_uses_all_8_positions_equally():
    seen = positions(pixels_of(4), dihedral=True)
    assert set(seen) == set(range(8))
    assert all(140 < count < 260 for count in seen.values())


def test_flips_depend_on_the_seed_and_the_batch_only():
    batches = [Batches(pixels_of(), 5, 1, flip=True, dihedral=True) for _ in range(2)]
    later = batches[0][9]
    assert torch.equal(batches[1][9], later)
    assert not torch.equal(Batches(pixels_of(), 5, 2, flip=True)[9], later)


def test_flips_leave_the_prepared_pictures_alone():
    pixels = pixels_of()
    before = pixels.copy()
    batches = Batches(pixels, 5, 1, flip=True, dihedral=True)
    for i in range(6):
        batches[i]
    assert np.array_equal(pixels, before)


def ramp(count, size=32):
    """Pictures that grow brighter by 4 for each pixel to the right, and in green downwards."""
    pixels = np.zeros((count, size, size, 3), np.uint8)
    pixels[..., 0] = 4 * np.arange(size)
    pixels[..., 1] = 4 * np.arange(size)[:, None]
    return pixels


def parts_of_a_ramp(zoom, batches=40):
    """(side, left, top) of the parts that were shown, in widths of the whole picture."""
    shown = Batches(ramp(8), 8, 3, zoom=zoom)
    images = torch.cat([shown[i] for i in range(batches)]) * 127.5 + 127.5
    right = images[:, 0, 16]
    down = images[:, 1, :, 16]
    slope = (right[:, 20] - right[:, 12]) / 32
    assert torch.allclose((down[:, 20] - down[:, 12]) / 32, slope, atol=0.03)  # a square part
    assert torch.allclose(right[:, 13:20].diff(dim=1), 4 * slope[:, None], atol=0.6)  # bicubic
    centre = [line[:, 15:17].mean(1) / 4 / 32 + 1 / 64 for line in (right, down)]
    return slope, *(place - slope / 2 for place in centre)


def test_zoom_shows_a_square_part_of_random_size_and_place():
    side, left, top = parts_of_a_ramp(zoom=2.0)
    assert side.min() == pytest.approx(0.5, abs=0.02)
    assert side.max() == pytest.approx(1, abs=0.02)
    assert side.mean() == pytest.approx(0.75, abs=0.03)
    for begin in (left, top):
        assert begin.min() >= -0.02  # never beyond the picture
        assert (begin + side).max() <= 1.02
        small = side < 0.6
        assert (begin / (1 - side))[small].mean() == pytest.approx(0.5, abs=0.12)
        assert (begin / (1 - side))[small].max() > 0.85
        assert (begin / (1 - side))[small].min() < 0.15
    assert abs(np.corrcoef(left[small], top[small])[0, 1]) < 0.3  # independent of each other


def test_a_zoom_of_one_changes_nothing():
    plain, zoomed = (Batches(pixels_of(), 5, 1, zoom=zoom)[0] for zoom in (1.0, 1.0001))
    assert torch.equal(plain, Batches(pixels_of(), 5, 1)[0])
    assert torch.allclose(plain, zoomed, atol=0.01)


def test_zoom_depends_on_the_seed_and_the_batch_only():
    first, second = (Batches(pixels_of(size=16), 6, 1, zoom=1.5, flip=True) for _ in range(2))
    later = first[9]
    assert torch.equal(second[9], later)
    assert not torch.equal(Batches(pixels_of(size=16), 6, 2, zoom=1.5, flip=True)[9], later)
    halves = [
        Batches(pixels_of(size=16), 6, 1, zoom=1.5, flip=True, share=ProcessGroup(rank, 2).share)[9]
        for rank in (0, 1)
    ]
    assert torch.equal(torch.cat(halves), later)  # two processes show what a single one shows


def test_zoomed_pictures_are_pictures():
    loud = np.random.default_rng(2).integers(0, 2, (9, 16, 16, 1), dtype=np.uint8) * 255
    batch = Batches(loud, 9, 1, zoom=3.0)[0]
    assert batch.shape == (9, 1, 16, 16)
    assert batch.is_contiguous(memory_format=torch.channels_last)
    assert (batch.min(), batch.max()) == (-1, 1)  # bicubic enlarging overshoots


@pytest.mark.parametrize("hold", [lambda batch: batch, lambda batch: batch[2:, :1].flatten()])
def test_a_batch_in_use_is_never_overwritten(hold):
    batches = Batches(pixels_of(), 5, 1)
    held = [hold(batches[i]) for i in range(4)]
    for i in range(4):
        assert torch.equal(held[i], hold(Batches(pixels_of(), 5, 1)[i]))


def test_a_batch_that_autograd_uses_is_never_overwritten():
    batches = Batches(pixels_of(), 5, 1)
    weight = torch.ones((), requires_grad=True)
    product = (batches[0] * weight).sum()  # its gradient is the sum of the batch
    expected = batches[0].sum()
    assert not torch.equal(batches[1].sum(), expected)
    product.backward()
    assert weight.grad == pytest.approx(expected.item(), abs=1e-5)


def test_the_memory_of_batches_is_reused():
    batches = Batches(pixels_of(), 5, 1)
    assert len({batches[i].data_ptr() for i in range(20)}) == 1
    pair = [batches[0], batches[1]]
    assert pair[0].data_ptr() != pair[1].data_ptr()
