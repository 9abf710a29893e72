"""`gankit data check` advises --no-flip where mirrored pictures differ from the set's own."""

import math
import string

import numpy as np
import pytest
from gankit_datacheck.findings import find_all
from gankit_datacheck.survey import MAX_MIRRORED, Defaults, Survey, examine
from PIL import Image, ImageDraw, ImageFilter, ImageFont

import gankit

NUMBER = 120
WHITE = (255, 255, 255)


def text(word, random, size=40, ground=WHITE, jitter=6):
    """A picture of a word somewhere near the middle."""
    image = Image.new("RGB", (64, 64), ground)
    place = tuple(32 + random.uniform(-jitter, jitter, 2))
    font = ImageFont.load_default(int(size * random.uniform(0.8, 1.2)))
    ImageDraw.Draw(image).text(place, word, fill=(20, 20, 60), font=font, anchor="mm")
    return np.asarray(image)


def letters(number=NUMBER):
    random = np.random.default_rng(1)
    return [text(random.choice(list(string.ascii_letters)), random) for _ in range(number)]


def digits():
    random = np.random.default_rng(2)
    return [text(random.choice(list(string.digits)), random) for _ in range(NUMBER)]


def words():
    random = np.random.default_rng(3)
    names = ["rose", "tulip", "daisy", "fern", "poppy", "iris", "lily", "violet", "aster", "clover"]
    return [text(random.choice(names), random, 16) for _ in range(NUMBER)]


def scans():
    """Faint letters on grey paper, small and a little noisy."""
    random = np.random.default_rng(4)
    result = []
    for pixels in letters():
        small = Image.fromarray(pixels).resize((28, 28), Image.Resampling.BOX)
        grey = np.asarray(small.resize((64, 64), Image.Resampling.BILINEAR), float) * 0.6 + 60
        result.append((grey + random.normal(0, 5, (64, 64, 1))).clip(0, 255).astype(np.uint8))
    return result


def logos():
    """A coloured shape with one or two letters in it."""
    random = np.random.default_rng(5)
    result = []
    for _ in range(NUMBER):
        image = Image.new("RGB", (64, 64), WHITE)
        draw = ImageDraw.Draw(image)
        shape = draw.ellipse if random.random() < 0.5 else draw.rectangle
        shape((6, 6, 57, 57), fill=tuple(int(level) for level in random.integers(120, 256, 3)))
        word = "".join(random.choice(list(string.ascii_uppercase), 2))
        font = ImageFont.load_default(26)
        draw.text((32, 32), word, fill=(0, 0, 0), font=font, anchor="mm")
        result.append(np.asarray(image))
    return result


def clocks(numerals=True):
    random = np.random.default_rng(6)
    result = []
    for _ in range(NUMBER):
        image = Image.new("RGB", (128, 128), tuple(int(n) for n in random.integers(90, 256, 3)))
        draw = ImageDraw.Draw(image)
        left, down = random.uniform(-9, 9, 2)
        draw.ellipse((10 + left, 10 + down, 118 + left, 118 + down), fill=WHITE, outline=(0, 0, 0))
        for hour in range(1, 13):
            turn = math.tau * hour / 12
            x, y = 64 + left + 42 * math.sin(turn), 64 + down - 42 * math.cos(turn)
            if numerals:
                font = ImageFont.load_default(18)
                draw.text((x, y), str(hour), fill=(0, 0, 0), font=font, anchor="mm")
            else:
                draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=(0, 0, 0))
        for length in (25, 38):
            turn = random.uniform(0, math.tau)
            start = (64 + left, 64 + down)
            end = (start[0] + length * math.sin(turn), start[1] - length * math.cos(turn))
            draw.line((*start, *end), fill=(0, 0, 0), width=5)
        result.append(np.asarray(image.resize((64, 64), Image.Resampling.LANCZOS)))
    return result


def flags():
    """Three stripes, and another colour in the upper left corner."""
    random = np.random.default_rng(12)
    result = []
    for _ in range(NUMBER):
        colours = random.integers(0, 256, (4, 3), np.uint8)
        flag = np.repeat(colours[[0, 1, 2, 2]].repeat(16, axis=0)[:, None], 64, axis=1)
        flag[:32, :27] = colours[3]
        result.append(flag)
    return result


def nuclei():
    """Bright soft spots on black, at any place and in any direction, as in a microscope."""
    random = np.random.default_rng(13)
    y, x = np.mgrid[:64, :64]
    result = []
    for _ in range(NUMBER):
        picture = np.full((64, 64), 8.0)
        for _ in range(random.integers(4, 12)):
            turn = random.uniform(0, math.pi)
            down, left = y - random.uniform(0, 64), x - random.uniform(0, 64)
            long = (left * math.cos(turn) + down * math.sin(turn)) / random.uniform(5, 8)
            short = (left * math.sin(turn) - down * math.cos(turn)) / random.uniform(3, 5)
            picture += random.uniform(90, 240) * np.exp(-((long**2 + short**2) ** 2))
        result.append(np.repeat(picture.clip(0, 255).astype(np.uint8)[..., None], 3, axis=2))
    return result


def chests(sides=(1,)):
    """Soft grey pictures with two dark halves, and a bright blob on one of these sides."""
    random = np.random.default_rng(7)
    y, x = np.mgrid[:64, :64] / 32 - 1
    result = []
    for _ in range(NUMBER):
        shift, down = random.normal(0, 0.06, 2)
        picture = random.uniform(0.45, 0.65) - 0.1 * y + random.uniform(-0.1, 0.1) * x * y
        for side in (-1, 1):
            picture -= 0.3 * np.exp(
                -(((x - shift - 0.4 * side) / 0.3) ** 4) - ((y - down) / 0.6) ** 4
            )
        side = random.choice(sides)
        blob = ((x - shift - 0.2 * side) / 0.28) ** 2 + ((y - down - 0.25) / 0.33) ** 2
        picture += 0.35 * random.uniform(0.7, 1.2) * np.exp(-blob)
        picture += random.normal(0, 0.03, x.shape)
        grey = (255 * picture.clip(0, 1)).astype(np.uint8)
        result.append(np.repeat(grey[..., None], 3, axis=2))
    return result


def blobs():
    """Soft colours without any left or right, as photographs have."""
    random = np.random.default_rng(8)
    small = random.integers(0, 256, (NUMBER, 9, 9, 3), np.uint8)
    return [np.asarray(Image.fromarray(pixels).resize((64, 64), 3)) for pixels in small]


def lit_faces():
    """Two eyes and a mouth in a soft oval, a little off the middle, lit from the left."""
    random = np.random.default_rng(9)
    y, x = np.mgrid[:64, :64] / 32 - 1
    result = []
    for _ in range(NUMBER):
        left, down = 0.06 + random.normal(0, 0.05), random.normal(0, 0.05)
        face = 0.3 + 0.4 * np.exp(-(((x - left) / 0.7) ** 4) - (((y - down) / 0.85) ** 4))
        for side in (-1, 1):
            eye = ((x - left - 0.3 * side) / 0.13) ** 2 + ((y - down + 0.2) / 0.08) ** 2
            face -= random.uniform(0.2, 0.4) * np.exp(-eye)
        face -= 0.25 * np.exp(-(((x - left) / 0.3) ** 2) - ((y - down - 0.45) / 0.08) ** 2)
        face = face - 0.06 * x + random.normal(0, 0.03, x.shape)
        result.append((255 * face.clip(0, 1)[..., None] * (1, 0.85, 0.75)).astype(np.uint8))
    return result


def noise():
    random = np.random.default_rng(10)
    return list(random.integers(0, 256, (NUMBER, 64, 64, 3), np.uint8))


def no_flip(pictures, **defaults):
    """Whether --no-flip is advised for these pictures."""
    survey = Survey(examine(pictures), defaults=Defaults(**defaults))
    return any("--no-flip" in finding.flags for finding in find_all(survey))


@pytest.mark.parametrize("make", [letters, digits, words, scans, logos, clocks, flags, chests])
def test_mirrored_pictures_differ(make):
    assert no_flip(make())


@pytest.mark.parametrize("make", [blobs, lit_faces, nuclei, noise])
def test_mirrored_pictures_look_as_right(make):
    assert not no_flip(make())


def house_numbers():
    """Digits of a font, soft, on a ground of several colours: not drawn, but not to be mirrored."""
    random = np.random.default_rng(12)
    result = []
    for _ in range(NUMBER):
        ground = Image.fromarray(random.integers(0, 256, (2, 2, 3), np.uint8))
        picture = ground.resize((64, 64), Image.Resampling.BICUBIC)
        draw = ImageDraw.Draw(picture)
        colour = tuple(random.integers(0, 256, 3).tolist())
        for place in (-2, 20, 42):
            position = place + random.integers(-3, 4), 12 + random.integers(-6, 7)
            draw.text(position, str(random.integers(10)), colour, ImageFont.load_default(32))
        pixels = np.asarray(picture.filter(ImageFilter.GaussianBlur(1)), float)
        pixels += random.normal(0, 5, pixels.shape)
        result.append(pixels.clip(0, 255).astype(np.uint8))
    return result


def test_letters_in_photographs_are_named_as_a_condition():
    pictures = house_numbers()
    assert not no_flip(pictures)
    findings = find_all(Survey(examine(pictures)))
    (finding,) = [finding for finding in findings if "--no-flip" in finding.mend]
    assert "letters" in finding.mend
    assert not any("--dihedral" in finding.mend for finding in findings)


def test_clocks_without_numerals_and_blobs_on_either_side_may_be_mirrored():
    random = np.random.default_rng(11)
    faces = [clock[:, ::-1] if random.random() < 0.5 else clock for clock in clocks(numerals=False)]
    assert not no_flip(faces)
    assert not no_flip(chests(sides=(-1, 1)))


@pytest.mark.parametrize("name", ["ihc", "petals"])
def test_drawn_tissue_and_flowers_may_be_mirrored(name):
    run = gankit.compose(dataset=f"{name}:count={NUMBER}", model="dcgan64")
    assert not no_flip(list(gankit.prepare(run).pixels))


def test_a_few_letters_are_enough():
    assert no_flip(letters(26))
    assert not no_flip(blobs()[:26])


@pytest.mark.parametrize("number", [0, 1])
def test_one_picture_says_nothing(number):
    assert not no_flip(letters(number))


def test_copies_do_not_help_to_tell_pictures_from_mirrored_ones():
    """A classifier that has seen a copy of a picture would know which way round it is."""
    near = [(pixels * 0.97).astype(np.uint8) for pixels in blobs()[:60]]
    assert not no_flip(blobs()[:60] * 2 + near)


def test_where_nothing_is_mirrored_the_advice_is_to_keep_it_so():
    assert not no_flip(letters(), flip=False)
    survey = Survey(examine(letters()), defaults=Defaults(flip=False))
    (finding,) = [finding for finding in find_all(survey) if "--flip" in finding.mend]
    assert finding.flags == ()


def test_only_some_pictures_of_a_large_set_are_kept_in_memory():
    facts = examine(blobs() * 10)
    kept = [item.index for item in facts if item.pixels is not None]
    assert len(kept) <= MAX_MIRRORED
    assert kept[-1] - kept[0] > 0.9 * len(facts)
