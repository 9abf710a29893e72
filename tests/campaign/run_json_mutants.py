"""Altered run.json files: wrong types, extremes, odd characters, odd parts and broken JSON."""

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

LONG = "x" * 100_000
MAX_LINE = 1000  # characters of a message; one may quote two paths of 300
# What may stand in place of any value, as it is written in JSON.
VALUES: dict[str, str] = {
    "null": "null",
    "true": "true",
    "false": "false",
    "0": "0",
    "1": "1",
    "-1": "-1",
    "3": "3",
    "1000": "1000",
    "a million": "1000000",
    "2^20": str(2**20),
    "2^31": str(2**31),
    "2^63": str(2**63),
    "2^64": str(2**64),
    "10^30": str(10**30),
    "10^400": str(10**400),
    "5,000 digits": "9" * 5000,
    "0.5": "0.5",
    "-0.0": "-0.0",
    "1e-320": "1e-320",
    "0.9999999999": "0.9999999999",
    "1e308": "1e308",
    "1e400": "1e400",
    "NaN": "NaN",
    "Infinity": "Infinity",
    "-Infinity": "-Infinity",
    "empty text": '""',
    "a space": '" "',
    "a word": '"word"',
    "none": '"none"',
    "auto": '"auto"',
    "a number as text": '"8"',
    "a superscript": '"\u00b2"',
    "an Arabic digit": '"\u0663"',
    "a colon": '":"',
    "an option without a name": '"petals:=3"',
    "a title": '"\\u001b]0;title\\u0007"',
    "a colour": '"\\u001b[31mred"',
    "a C1 control": '"\\u009b31mred"',
    "a newline": '"a\\ngankit: all is well"',
    "a carriage return": '"a\\rb"',
    "a line separator": '"a\\u2028b"',
    "bidi": '"a\\u202egnp.exe"',
    "zero width": '"a\\u200bb"',
    "a lone surrogate": '"a\\ud800b"',
    "a NUL": '"a\\u0000b"',
    "an emoji": '"\\ud83d\\ude00"',
    "markup": '"[red]a[/] [/]"',
    "a percent sign": '"100%s %(x)d {0} {x}"',
    "100,000 letters": json.dumps(LONG),
    "100,000 escapes": json.dumps("\x1b" * 100_000),
    "/dev/zero": '"/dev/zero"',
    "a parent": '"../../../../etc"',
    "the root": '"/"',
    "no user": '"~nobody-at-all/x"',
    "a long path": json.dumps("/".join(["d" * 200] * 40)),
    "a long name": json.dumps("n" * 301),
    "an address": '"https://example.org/run.json"',
    "[]": "[]",
    "[null]": "[null]",
    "[1]": "[1]",
    "[true]": "[true]",
    "[text]": '["a"]',
    "[texts]": '["a", "b"]',
    "[title]": '["\\u001b]0;title\\u0007"]',
    "[NUL]": '["a\\u0000b"]',
    "[surrogate]": '["a\\ud800b"]',
    "[[text]]": '[["a"]]',
    "[100,000 letters]": json.dumps([LONG]),
    "100,000 texts": json.dumps(["a"] * 100_000),
    "{}": "{}",
    "{a: 1}": '{"a": 1}',
    "{name: text}": '{"name": "petals", "options": {}}',
    "50 deep": "[" * 50 + "]" * 50,
    "900 deep": "[" * 900 + "]" * 900,
    "3,000 deep": "[" * 3000 + "]" * 3000,
    "100,000 deep": "[" * 100_000 + "]" * 100_000,
    "3,000 deep dicts": '{"a":' * 3000 + "1" + "}" * 3000,
}
NUMBERS = ("0", "-1", "1", "1000000000", "1" + "0" * 400, "1e400", "nan", "1e-9", "none", "true",
           "word", "0.5", "3", "-1.5", "")  # fmt: skip
# Options of parts, which are tried with NUMBERS.
PART_OPTIONS: dict[str, dict[str, tuple[str, ...]]] = {
    "dataset": {"petals": ("count", "seed"), "shards": ("block", "sample"), "ihc": ("patch",)},
    "fit": {"patches": ("size", "stride"), "crop": ("size",)},
    "model": {"dcgan64": ("base_channels", "max_channels"), "light128": ("base_channels",)},
    "generator": {
        "dcgan": ("base_channels", "max_channels"),
        "modern": ("base_channels", "blocks"),
        "mathworks": ("start",),
    },
    "discriminator": {
        "dcgan": ("base_channels", "max_channels"),
        "modern": ("blocks",),
        "tf-dcgan": ("dropout",),
    },
    "loss": {"hinge": ("margin",)},
    "tricks": {
        "ada": ("policy", "target", "every", "kimg"),
        "blur": ("sigma", "until"),
        "diffaugment": ("policy",),
        "dragan": ("weight", "k"),
        "dropout-d": ("p",),
        "ema": ("decay", "ramp", "kimg"),
        "feature-matching": ("weight",),
        "flip-labels": ("p", "which"),
        "freeze-d": ("layers",),
        "gradient-clipping": ("norm", "player"),
        "historical-averaging": ("weight",),
        "lecam": ("weight", "decay", "after"),
        "lr-decay": ("begin",),
        "minibatch-discrimination": ("kernels", "dims"),
        "minibatch-stddev": ("group",),
        "noisy-d": ("sigma", "until"),
        "noisy-labels": ("amount", "which"),
        "r1": ("gamma", "every"),
        "replay": ("size", "share"),
        "smooth-labels": ("real", "fake", "until"),
        "top-k": ("floor", "until"),
        "ttur": ("factor",),
        "weight-clipping": ("limit",),
        "wgan-gp": ("weight",),
    },
    "metrics": {"kid": ("features",), "coverage": ("k",)},
}
# Fields with values that only they can have, as JSON.
SPECIAL: dict[str, tuple[str, ...]] = {
    "threads": ("1024", "1025", "100000", "1000000", "2147483648"),
    "image_size": ("1", "2", "17", "48", "256", "1024", "4096", "16384", "1048576"),
    "batch_size": ("2", "7", "4096", "100000", "1000000000"),
    "latent_dim": ("1", "16384", "16385"),
    "accumulate": ("8", "9", "1000000000"),
    "d_steps": ("64", "1000000000"),
    "channels": ("1", "2", "3"),
    "zoom": ("1.5", "4.0", "4.01", "0.0", "-0.0", "0.5"),
    "holdout": ("0.0", "0.99", "0.9999", "-1.0", "1e-300"),
    "subset": ("1", "2", "1000000000"),
    "length": (
        '"1 steps"', '"99999999999999999999 kimg"', '"0.0000000001 epochs"', '"0.0 kimg"',
        json.dumps("9" * 400 + " steps"), json.dumps("9" * 5000 + " steps"), '"\u0663 steps"',
        '"1e9 steps"', '"5 steps\\n"',
    ),
    "earlier_plans": (
        '["1:5"]', '["0:0"]', '["5:1", "3:2"]', json.dumps(["9" * 5000 + ":5"]),
        json.dumps(["1:" + "9" * 5000]), json.dumps(["1:5"] * 100_000), '["\u0663:5"]',
    ),
    "device": ('"cuda"', '"cuda:99999999999"', '"cpu:0"', '"cpu:7"', '"meta"', '"mps"', '"xla"',
               '"cuda:-1"', '"hpu:1"'),
    "precision": ('"16"', '"bf16"', '"32"', '"64"'),
    "compile": ('"yes!"', '"no"'),
    "background": ('"rgb(1,2)"', '"#12"', '"hsl(1e9,1%,1%)"', json.dumps("#" + "f" * 100_000)),
    "data": (
        '["shard-{000000..299999999}.tar"]', '["/dev/zero"]', '["/dev/null"]', '["/proc"]',
        '["."]', '[""]', '["~"]', '["{a,b}"]', json.dumps(["{0..9}" * 12 + ".tar"]),
        json.dumps(["{a,b" * 2000]), json.dumps([f"p{n}" for n in range(100_000)]),
        '["{1..9223372036854775807}"]', '["a{0..1}"]', '"one-text"',
    ),
    "classes": ('["a"]', json.dumps([f"c{n}" for n in range(100_000)])),
    "tricks": (
        '["none"]', '["ema", "ema"]', '["ema", "no-such"]', json.dumps(["r1"] * 10_000),
        json.dumps(["r1:" + ",".join(f"o{n}=1" for n in range(10_000))]), '["hinge"]',
    ),
    "metrics": ('["none"]', '["kid", "kid"]', '["no-such"]'),
    "fit": ('"patches:size=1,stride=1"', '"patches:size=16"', '"pad"', '"stretch"', '"zoom"',
            '"patches:size=1000000000"', '"patches:stride=1000000000"'),
    "dataset": ('"folder"', '"shards"', '"petals:count=1"', '"petals:count=1000000000"',
                '"petals:count=2"'),
    "out": ('"x/y"', '"."', '"run.json"'),
    "begun_in": ('"."', '".."', '"/no/such"'),
    "prepared": ('{"pictures": "many", "skipped": 3}',),
    "versions": ('{"gankit": null}', '{"gankit": "99.0"}'),
}  # fmt: skip
ADDED = {
    "an unknown field": '"batchsize": 8',
    "an unknown title": '"\\u001b]0;title\\u0007": 8',
    "a long name": f'"{LONG}": 8',
    "an empty name": '"": 8',
    "a newline in a name": '"a\\ngankit: all is well": 8',
    "an entry of Python": '"__class__": {}',
    "a method": '"folder": "x"',
    "100,000 fields": ", ".join(f'"f{n}": 1' for n in range(100_000)),
}


def _join(record: dict[str, str]) -> bytes:
    """A JSON object of values that are JSON already."""
    pairs = ", ".join(f"{json.dumps(name)}: {value}" for name, value in record.items())
    return f"{{{pairs}}}".encode("utf-8", "surrogatepass")


def _broken(content: bytes, rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """The file cut, in other encodings, or not a record at all."""
    text = content.decode()
    yield "empty", b""
    yield "white space", b" \n\t"
    yield "a byte order mark", b"\xef\xbb\xbf" + content
    yield "UTF-16", text.encode("utf-16")
    yield "UTF-32", text.encode("utf-32")
    yield "Latin-1", content.replace(b"petals", b"p\xe9tals")
    yield "a NUL at its end", content + b"\0"
    yield "NULs", b"\0" * 4096
    yield "two records", content + content
    yield "a list around it", b"[" + content + b"]"
    yield "pairs", json.dumps(list(json.loads(content).items())).encode()
    yield "a text", json.dumps(text).encode()
    yield "no record", b"null"
    yield "an open record", b'{"a":' * 3000
    yield "open lists", b"[" * 1_000_000
    yield "single quotes", content.replace(b'"', b"'")
    yield "a comment", b"// a run\n" + content
    yield "a comma at its end", content[:-1].rstrip() + b",}"
    yield "16 MB of space", content + b" " * (16 << 20)
    yield "a text of 16 MB", _join({"seed": json.dumps("x" * (16 << 20))})
    yield "a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 8
    for cut in sorted(rng.sample(range(len(content)), 40)):
        yield f"cut at {cut}", content[:cut]
    for _ in range(120):
        altered = bytearray(content)
        place = rng.randrange(len(altered))
        altered[place] ^= 1 << rng.randrange(8)
        yield f"bit of byte {place}", bytes(altered)


def _one_field(record: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    for name in record:
        yield f"without {name}", _join({k: v for k, v in record.items() if k != name})
        for what, value in VALUES.items():
            yield f"{name}: {what}", _join({**record, name: value})
        yield f"{name} twice", _join(record)[:-1] + f', "{name}": [1]}}'.encode()
    for name, values in SPECIAL.items():
        for value in values:
            yield f"{name}: {value[:40]}", _join({**record, name: value})
    for what, pair in ADDED.items():
        yield what, _join(record)[:-1] + f", {pair}}}".encode()


def _parts(record: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    for field, parts in PART_OPTIONS.items():
        for part, options in parts.items():
            for option in options:
                for number in NUMBERS:
                    text = f"{part}:{option}={number}"
                    value: Any = [text] if field in ("tricks", "metrics") else text
                    yield f"{field}: {text[:60]}", _join({**record, field: json.dumps(value)})


def _pairs(record: dict[str, str], rng: random.Random) -> Iterator[tuple[str, bytes]]:
    """Two fields altered at once, without end."""
    while True:
        altered = dict(record)
        names = rng.sample(sorted(record), 2)
        labels = []
        for name in names:
            special = {value[:40]: value for value in SPECIAL.get(name, ())}
            values = special if special and rng.random() < 0.6 else VALUES
            what = rng.choice(sorted(values))
            altered[name] = values[what]
            labels.append(f"{name}: {what}")
        yield " and ".join(labels), _join(altered)


def mutants(record: dict[str, Any], seed: int, count: int) -> Iterator[tuple[str, bytes]]:
    """`count` altered forms of a run.json, each with what was altered.

    The same (record, seed) gives the same mutants in the same order: a random choice of all single
    alterations, and when these are used up, pairs of them.
    """
    rng = random.Random(seed)
    as_json = {name: json.dumps(value) for name, value in record.items()}
    makers: list[Callable[[], Iterator[tuple[str, bytes]]]] = [
        lambda: _broken(_join(as_json), random.Random(seed)),
        lambda: _one_field(as_json),
        lambda: _parts(as_json),
    ]
    # Only names are kept: all contents together would take hundreds of megabytes.
    places = [(maker, n) for maker in makers for n, _ in enumerate(maker())]
    chosen = rng.sample(places, min(count, len(places)))
    for maker in makers:
        numbers = {n for its_maker, n in chosen if its_maker is maker}
        for number, mutant in enumerate(maker()):
            if number in numbers:
                yield mutant
    pairs = _pairs(as_json, rng)
    for _ in range(count - len(chosen)):
        yield next(pairs)


def complaints(exit_code: int, errors: str) -> list[str]:
    """What is wrong with how a command took a mutant; `errors` is what it printed to stderr.

    Right is a run, or one line for people: short, printable, the last on stderr.
    """
    if exit_code == 0:
        return []
    found = [] if exit_code in (1, 2) else [f"exit code {exit_code}"]
    line = errors.rstrip("\n").rpartition("\n")[2]
    if not line.startswith("gankit: ") or "unexpected" in line or "Traceback" in errors:
        found.append(f"not a line for people: {line[:200]!r}")
    if len(line) > MAX_LINE:
        found.append(f"a line of {len(line)} characters: {line[:200]!r}")
    if not line.isprintable():
        found.append(f"control characters: {line[:200]!r}")
    return found
