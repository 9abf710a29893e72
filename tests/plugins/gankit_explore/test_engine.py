"""The engine in a real browser: the kernel in WebAssembly and in JavaScript, and z of a seed."""

import base64
import importlib.metadata
import json

import numpy as np
import pytest
import torch
from gankit_explore.engine import build, texts
from gankit_explore.program.lower import lower

from gankit.core import randomness
from gankit.runs.images import to_frames, to_pictures

LATENT_DIM = 20
SEEDS = range(6)
POLICY = "default-src 'none'; script-src 'unsafe-inline' {}; worker-src blob:"
CODE = """
window.begin = async (worker, wasm) => {
    window.engine = await createEngine({ worker, wasm: wasm && bytes(wasm) });
    return engine.kind;
};
window.bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
window.load = (index, description, weights) =>
    engine.load(index, JSON.parse(description), bytes(weights).buffer);
window.draw = async (request) => {
    const answer = await engine.draw({ ...request, z: Float32Array.from(request.z) });
    const plain = { ...answer, pixels: Array.from(answer.pixels) };
    if (answer.tiles) plain.tiles.pixels = Array.from(answer.tiles.pixels);
    return plain;
};
window.latentsOf = latentsOf;
"""


def as_text(data):
    return base64.b64encode(data).decode()


class Engine:
    """An engine in a page of its own, and what the page complained of."""

    def __init__(self, browser, folder, policy="'wasm-unsafe-eval'", wasm=True):
        policy = POLICY.format(policy)
        head = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        code = texts()["engine"] + CODE
        file = folder / "engine.html"
        file.write_text(f"<!doctype html>{head}<script>{{{code}}}</script>", encoding="utf-8")
        self.tab = browser.new_page()
        self.complaints = []
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.goto(file.as_uri())
        kernel = as_text(texts()["wasm"]) if wasm else None
        call = "([worker, wasm]) => begin(worker, wasm)"
        self.kind = self.tab.evaluate(call, [texts()["worker"], kernel])

    def load(self, index, program):
        given = [index, json.dumps(program.describe()), as_text(program.weights())]
        self.tab.evaluate("(given) => load(...given)", given)

    def draw(self, z, program=0, **options):
        """(pixels (N, H, W, 4), answer)."""
        request = {"program": program, "z": z.ravel().tolist(), "count": len(z), **options}
        answer = self.tab.evaluate("(request) => draw(request)", request)
        pixels = np.array(answer["pixels"]).reshape(len(z), *answer["size"], 4)
        return pixels, answer


@pytest.fixture(scope="module")
def engines(browser, tmp_path_factory):
    """The two kinds of engine."""
    folder = tmp_path_factory.mktemp("engine")
    both = {"wasm": Engine(browser, folder), "javascript": Engine(browser, folder, wasm=False)}
    yield both
    for engine in both.values():
        assert engine.complaints == []


@pytest.fixture(params=["wasm", "javascript"])
def engine(engines, request):
    return engines[request.param]


def latents(seeds):
    return torch.cat([randomness.latents(seed, 0, 1, LATENT_DIM) for seed in seeds])


def to_pixels(images):
    return to_frames(torch.from_numpy(np.ascontiguousarray(images)))


def test_kinds(engines):
    assert {name: engine.kind for name, engine in engines.items()} == {
        "wasm": "wasm",
        "javascript": "javascript",
    }


def test_javascript_draws_where_the_page_forbids_webassembly(browser, tmp_path, program):
    engine = Engine(browser, tmp_path, policy="")
    assert engine.kind == "javascript"
    engine.load(0, program("dcgan"))
    assert engine.draw(latents([1]))[0].std() > 30


def test_pictures_are_those_of_pytorch(engine, program, generator, generator_names):
    z = latents(SEEDS)
    for name in generator_names:
        engine.load(0, program(name))
        pixels, answer = engine.draw(z)
        expected = to_frames(generator(name)(z)).astype(int)
        assert answer["size"] == list(expected.shape[1:3]), name
        assert np.abs(pixels[..., :3] - expected).max() <= 2, name
        assert pixels[..., :3].std() > 20, name
        assert (pixels[..., 3] == 255).all()


def test_transparent_pictures_have_their_alpha(engine, transparent_generator):
    z = latents(SEEDS)
    engine.load(0, lower(transparent_generator, LATENT_DIM))
    pixels, _ = engine.draw(z)
    images = transparent_generator(z)
    expected = to_pictures(images).astype(int)
    assert np.abs(pixels[..., 3] - expected[..., 3]).max() <= 2
    assert expected[..., 3].std() > 20
    solid = expected[..., 3] > 128
    assert np.abs(pixels - expected)[solid].max() <= 6  # divided by alpha


def test_many_pictures_are_those_of_one_each(engine, program):
    """They are drawn in several parts, because not all maps fit into the memory at once."""
    engine.load(0, program("modern"))
    seeds = range(70)
    pixels, _ = engine.draw(latents(seeds))
    for seed in (0, 17, 69):
        np.testing.assert_array_equal(engine.draw(latents([seed]))[0][0], pixels[seed])


def test_silence_sets_channels_to_zero(engine, program):
    lowered = program("dcgan")
    engine.load(0, lowered)
    z = latents(SEEDS)
    whole, _ = engine.draw(z)
    layer = 1
    value = lowered.describe()["layers"][layer]["value"]
    operation = lowered.operations[value - 1]
    kept = {name: array.copy() for name, array in operation.arrays.items()}
    try:
        for array in operation.arrays.values():
            array[[0, 3]] = 0  # the result of ReLU is then 0
        expected = to_pixels(lowered.images(z.numpy())).astype(int)
    finally:
        operation.arrays.update(kept)
    silent, _ = engine.draw(z, silence={str(layer): [0, 3]})
    assert np.abs(silent[..., :3] - expected).max() <= 1
    assert np.abs(silent - whole).max() > 5
    np.testing.assert_array_equal(engine.draw(z)[0], whole)


def test_tiles_are_the_channels_of_the_first_picture(engine, program):
    lowered = program("dcgan-skip")
    engine.load(0, lowered)
    _, answer = engine.draw(latents(SEEDS), tiles=1, silence={"1": [5]})
    tiles = answer["tiles"]
    channels, height, width = lowered.describe()["layers"][1]["shape"]
    assert (tiles["count"], tiles["size"]) == (channels, [height, width])
    grey = np.array(tiles["pixels"]).reshape(channels, height, width, 4)
    assert (grey[..., 0] == grey[..., 2]).all()
    assert grey[5, ..., :3].max() == 0
    assert grey[..., 0].max() == 255
    assert len({tile.tobytes() for tile in grey}) > channels / 2


def test_programs_beside_each_other_and_in_place_of_another(engine, program):
    names = ("dcgan", "modern")
    z = latents([3])
    alone = []
    for name in names:
        engine.load(0, program(name))
        alone.append(engine.draw(z)[0])
    engine.load(1, program("dcgan"))
    np.testing.assert_array_equal(engine.draw(z, program=1)[0], alone[0])
    np.testing.assert_array_equal(engine.draw(z, program=0)[0], alone[1])


def test_a_mistake_is_an_error_and_not_the_end(engine, program):
    engine.load(0, program("dcgan"))
    with pytest.raises(Exception, match="77"):
        engine.draw(latents([1]), program=77)
    assert engine.draw(latents([1]))[0].std() > 20


def test_z_of_seeds_is_that_of_pytorch(engines):
    seeds = [*range(200), 2**31, 2**32 + 5, 10**15, 2**53 - 1]
    sizes = [1, 2, 8, 15, 16, 17, 100, 128, 512]
    call = "([seeds, sizes]) => sizes.map((n) => seeds.map((s) => Array.from(latentsOf(s, n))))"
    drawn = engines["wasm"].tab.evaluate(call, [seeds, sizes])
    for size, rows in zip(sizes, drawn, strict=True):
        expected = torch.cat([randomness.latents(seed, 0, 1, size) for seed in seeds])
        np.testing.assert_allclose(np.array(rows), expected.numpy(), atol=1e-5, err_msg=str(size))


def test_the_texts_can_be_put_into_a_page():
    assert not any("</script" in text for text in texts().values() if isinstance(text, str))
    assert len(texts()["wasm"]) < 10_000


def test_the_kernel_is_what_its_source_gives(tmp_path):
    try:
        version = importlib.metadata.version("ziglang")
    except importlib.metadata.PackageNotFoundError:
        version = ""
    if version != build.VERSION:
        pytest.skip(f"pip install ziglang=={build.VERSION}")
    build.build(tmp_path / "kernel.wasm")
    assert (tmp_path / "kernel.wasm").read_bytes() == texts()["wasm"]
