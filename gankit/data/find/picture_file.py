"""The files that a walk finds: pictures, and files that hold several pictures or labels."""

from typing import NamedTuple


class PictureFile(NamedTuple):
    """One file, as the walk saw it."""

    path: str
    name: str
    source: int  # the number of its source
    relative_path: str  # below its source, with forward slashes
    size: int  # bytes
    modified: int  # time, ns
    part: int = -1  # which picture of an array, or frame of a film; -1: the file is one picture
    label: str = ""  # the class that labels beside it give
    table: str = ""  # the table that the label is from, if it is from one
    film: str = ""  # the film that it is a frame of
    time: int = 0  # of the frame, ms from the beginning

    @property
    def folders(self) -> list[str]:
        """The folders between the source and the file."""
        return self.relative_path.split("/")[:-1]


class Moment(NamedTuple):
    """When a frame of a film is seen."""

    film: str
    time: int  # ms from the beginning


class Holder(NamedTuple):
    """A file that holds more than one picture, or the labels of pictures."""

    holds: str  # see kinds.Kind
    file: PictureFile
    is_source: bool  # given itself with --data
