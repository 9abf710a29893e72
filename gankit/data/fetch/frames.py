"""Frames of films and animations -> pictures in the cache: every n-th one, one after another."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from gankit.core.errors import GankitError
from gankit.core.files.atomic_write import open_atomically, write_atomically
from gankit.core.printable import printable
from gankit.core.progress import Progress
from gankit.data.fetch.limited_writer import MAX_TOTAL_BYTES, MIN_FREE_BYTES
from gankit.data.fetch.make_once import make_once
from gankit.data.messages import MOVE_CACHE, count_noun
from gankit.data.read.decode import describe_error, to_rgb_or_grey
from gankit.data.read.formats import NotReadable, open_as, recognise
from gankit.data.read.limits import check_cost, check_size
from gankit.data.read.silence import NO_PILLOW_WARNINGS
from gankit.data.store.cache_folder import cache_folder

LAYOUT = 3  # version of the folder; increase it to read the frames of every film again
CONTENTS_FILE = "contents.json"
PER_SECOND = 2  # frames of a film that are taken by default
MAX_FRAMES = 5_000_000  # of one film: two days
MAX_PNG_SIDE = 512  # px; larger frames are kept as JPEG, which takes a tenth of the disk
LISTED = 5  # films that have a line each
SQUARE = 0.01  # by which the sides of a pixel may differ
TURNS = {
    1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270,
}  # fmt: skip
COMPLETE = 0.95  # share of the frames that a file says to have
STILL = 0.5  # levels of 255: frames that differ less, on average, look the same
STILL_SIDE = 32  # px at which that is compared
# FFmpeg reads playlists and scripts too, which name other files and addresses.
FORMATS = (
    "mov,mp4,matroska,webm,avi,mpeg,mpegvideo,mpegts,asf,flv,ogg,rm,dv,yuv4mpegpipe,mxf,m4v,h264,"
    "hevc"
)

PLAYLISTS = (b"#EXTM3U", b"ffconcat")  # first bytes

ReadPicture = Callable[[], Image.Image]


class Frame(NamedTuple):
    """A frame of a film, which is now a file in the cache."""

    file: str  # its name in the folder
    number: int  # of the frame, from 0
    time: int  # ms from the beginning
    size: int  # bytes


class Film(NamedTuple):
    """The frames that were taken of a film or an animation."""

    folder: Path
    frames: list[Frame]
    stride: int  # frames from one to the next
    total: int  # frames that were read
    still: int  # frames left out because they look like the one before
    problem: str  # why reading ended early; "" if it did not


def describe_films(films: dict[str, Film]) -> list[str]:
    """`film.mp4: every 15th frame, 240 of 3,600`, or a line about many films by their names."""
    if len(films) <= LISTED:
        return [f"{name}: {_describe_frames([film])}" for name, film in films.items()]
    return [f"{len(films):,} films and animations: {_describe_frames([*films.values()])}"]


def _describe_frames(films: Sequence[Film]) -> str:
    """`every 15th frame, 240 of 3,600; 1 frame like the one before is left out`."""
    steps = {film.stride for film in films}
    which = f"every {_ordinal(max(steps))} frame, " if len(steps) == 1 and max(steps) > 1 else ""
    taken = sum(len(film.frames) for film in films)
    line = f"{which}{taken:,} of {count_noun(sum(film.total for film in films), 'frame')}"
    still = sum(film.still for film in films)
    if not still:
        return line
    are = "is" if still == 1 else "are"
    return f"{line}; {count_noun(still, 'frame')} like the one before {are} left out"


def _ordinal(number: int) -> str:
    endings = {} if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}
    return f"{number:,}{endings.get(number % 10, 'th')}"


def read_frames(path: Path, stride: int, progress: Progress) -> Film:
    """Every n-th frame of a film or an animation, as pictures in the cache, which are made once.

    With `stride` 0, two frames a second of a film, and all frames of an animation. Frames that look
    like the one taken before are left out. What comes before damage is kept. Raises NotReadable if
    no frame can be read, or GankitError if the cache cannot be written.
    """
    try:
        path = path.resolve()
        info = path.stat()
        key = repr((LAYOUT, "frames", str(path), info.st_size, info.st_mtime_ns, stride))
        digest = hashlib.sha256(key.encode(errors="surrogateescape")).hexdigest()
        folder = cache_folder("unpacked", digest[:16])
        make_once(
            folder,
            CONTENTS_FILE,
            f"reading the frames of {printable(str(path))}",
            lambda aside: _write_frames(path, aside, stride, progress),
        )
        contents = json.loads((folder / CONTENTS_FILE).read_text(encoding="utf-8"))
    except OSError as error:
        reason = f"{error.strerror or error} ({error.filename})"
        line = f"cannot read the frames of {path}: {reason}; {MOVE_CACHE}"
        raise GankitError(printable(line), 1) from error
    frames = [Frame(*fields) for fields in contents.pop("frames")]
    return Film(folder=folder, frames=frames, **contents)


def _write_frames(path: Path, aside: Path, stride: int, progress: Progress) -> None:
    """Write the frames that are taken and, last, the list of them."""
    with path.open("rb") as file:
        if file.read(16).startswith(PLAYLISTS):
            why = "is a playlist, which gankit does not read"
            raise NotReadable(f"{why}: give the films that it names with --data")
    aside.mkdir(parents=True)
    reader = _Reader(path, stride)
    taken: list[Frame] = []
    bytes_left = min(MAX_TOTAL_BYTES, shutil.disk_usage(aside).free - MIN_FREE_BYTES)
    for number, time, picture in reader.changing_frames():
        frame = _save(picture, aside, number, time)
        taken.append(frame)
        bytes_left -= frame.size
        if bytes_left < 0:
            room = f"has more frames than there is room for: use a larger every=N, or {MOVE_CACHE}"
            raise GankitError(printable(f"{path} {room}"))
        progress(number, max(number + 1, reader.total))
    if not taken:
        why = reader.problem or "has no frames"
        raise NotReadable(f"is a film that gankit cannot read, as it {why}: save it again as mp4")
    contents = {
        "frames": taken,
        "stride": reader.stride,
        "total": reader.count,
        "still": reader.still,
        "problem": reader.problem,
    }
    write_atomically(aside / CONTENTS_FILE, json.dumps(contents))


def _save(picture: Image.Image, folder: Path, number: int, time: int) -> Frame:
    is_large = max(picture.size) > MAX_PNG_SIDE and picture.mode in ("L", "RGB")
    name = f"{number:08d}.{'jpg' if is_large else 'png'}"
    with open_atomically(folder / name) as file:
        if is_large:
            picture.save(file, "JPEG", quality=95, subsampling=0)
        else:
            picture.save(file, "PNG", compress_level=1)
    return Frame(name, number, time, (folder / name).stat().st_size)


class _Reader:
    """Reads every n-th frame of one file, one after another."""

    def __init__(self, path: Path, stride: int) -> None:
        self.path = path
        self.stride = stride  # 0 until the frames of a second are known
        self.count = 0  # frames read so far
        self.total = 0  # frames that the file says to have; 0 if it does not
        self.still = 0  # frames that look like the one taken before
        self.problem = ""  # why reading ended early

    def changing_frames(self) -> Iterator[tuple[int, int, Image.Image]]:
        """(number, time in ms, picture) of the frames, without those like the one before."""
        last = None
        for number, time, picture in self._frames():
            look = _look(picture)
            if last is not None and float(np.abs(look - last).mean()) < STILL:
                self.still += 1
                continue
            last = look
            yield number, time, picture

    def _frames(self) -> Iterator[tuple[int, int, Image.Image]]:
        """Every n-th frame, until the end or until something is broken."""
        decoded = self._decode()
        while self.count < MAX_FRAMES:
            try:
                time, read = next(decoded, (0, None))
                if read is None:
                    if self.count < COMPLETE * self.total:  # FFmpeg passes over what is missing
                        self.problem = "is cut off"
                    return
                is_taken = self.count % self.stride == 0
                picture = read() if is_taken else None
            except Exception as error:  # on broken bytes, the libraries raise nearly anything
                self.problem = _describe(error)
                return
            self.count += 1
            if picture:
                yield self.count - 1, time, picture

    def _decode(self) -> Iterator[tuple[int, ReadPicture]]:
        """The time of each frame in ms, and what makes a picture of it."""
        with NO_PILLOW_WARNINGS, self.path.open("rb") as file:
            try:
                name = recognise(file)
            except NotReadable:
                file.seek(0)
                yield from self._decode_film(file)
            else:
                yield from self._decode_animation(name, file)

    def _decode_animation(self, name: str, file: Any) -> Iterator[tuple[int, ReadPicture]]:
        self.stride = self.stride or 1
        time = 0
        with open_as(name, file) as image:
            check_cost(image, file)
            for frame in ImageSequence.Iterator(image):
                frame.load()  # before, a webp does not know how long it is shown
                yield time, partial(_flatten, frame)
                time += int(frame.info.get("duration", 0) or 100)

    def _decode_film(self, file: Any) -> Iterator[tuple[int, ReadPicture]]:
        import av  # takes a tenth of a second

        options = {"format_whitelist": FORMATS, "protocol_whitelist": "none"}
        with av.open(file, "r", options=options) as film:
            if not film.streams.video:
                raise NotReadable("has no pictures, only sound")
            stream = film.streams.video[0]
            check_size(stream.codec_context.width, stream.codec_context.height)
            stream.thread_type = "AUTO"
            rate = float(stream.average_rate or stream.guessed_rate or 25)
            self.stride = self.stride or max(1, round(rate / PER_SECOND))
            self.total = stream.frames
            aspect = float(stream.sample_aspect_ratio or 1)
            first = None
            for number, frame in enumerate(film.decode(stream)):
                time = frame.time if frame.time is not None else number / rate
                first = time if first is None else first
                yield round(1000 * (time - first)), partial(_upright, frame, aspect)


def _look(picture: Image.Image) -> NDArray[np.float32]:
    """What there is to see of a frame: its colours and its transparency, (STILL_SIDE^2, 3 or 4)."""
    if not picture.has_transparency_data:
        return np.asarray(picture.convert("RGB").resize((STILL_SIDE, STILL_SIDE)), np.float32)
    small = picture.convert("RGBA").resize((STILL_SIDE, STILL_SIDE))
    return np.asarray(small.convert("RGBa"), np.float32)  # a colour that cannot be seen is 0


def _describe(error: Exception) -> str:
    """What is wrong with a film, as for pictures; FFmpeg's own words would help nobody."""
    is_of_ffmpeg = type(error).__module__.startswith("av.")
    return "is broken or cut off" if is_of_ffmpeg else describe_error(error)


def _flatten(frame: Image.Image) -> Image.Image:
    """A frame of an animation in a mode that a PNG has, with its transparency."""
    if frame.mode in ("1", "L", "LA", "RGB", "RGBA"):
        return frame.copy()
    if frame.has_transparency_data:
        return frame.convert("RGBA")
    return to_rgb_or_grey(frame)


def _upright(frame: Any, aspect: float) -> Image.Image:
    """A frame of a film as players show it: upright, with square pixels.

    `aspect` is the width of a pixel divided by its height.
    """
    check_size(frame.width, frame.height)
    picture: Image.Image = frame.to_image()
    if aspect > 0 and abs(aspect - 1) > SQUARE:
        width = min(4 * picture.width, max(1, round(aspect * picture.width)))
        picture = picture.resize((width, picture.height), Image.Resampling.LANCZOS)
    turns = round((getattr(frame, "rotation", 0) or 0) / 90) % 4
    return picture.transpose(TURNS[turns]) if turns else picture
