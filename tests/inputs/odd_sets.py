"""Sets of odd files: odd names, odd folders; on the disk, in a zip and in a tar."""

import io
import os
import tarfile
import unicodedata
import zipfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import strategies as st
from kinds import KINDS, NAMED, QUIET, TAKEN
from writers import LOOKS, SIZES, Picture

SYSTEM_NAMES = {"__macosx", "@eadir", "thumbs.db", "desktop.ini"}  # of macOS, NAS and Windows
STEMS = (
    "1", "IMG_0001", "a b", " a", "a ", "é", "e\u0301", "花", "🌸", "שלום", "\u202egpj", "\u200b",
    "\ufeff", "it's", 'say "x"', "a\nb", "a\tb", "\x1b[31mred", "-rf", "--help", "$HOME", "`x`",
    "~", "a;b&c|d", "%s", "100%", "{x}", "[bold]x", "[/]", "a:b", "a: b", "*", "?", "<x>", "a\\b",
    "con", "nul", "a.", "a..", "a.b.c", "..a", "#", "\udcff\udcfe", "ß", "SS", "x" * 300, "é" * 200,
    "a, b", ".hidden", "._1", "Thumbs", "run", "preview",
)  # fmt: skip
FOLDERS = (
    *(
        "a",
        "rose",
        "tulip",
        "A",
        "é",
        "e\u0301",
        "花",
        "a b",
        "it's",
        "[/]",
        "x.jpg",
        "a:b",
        "a\nb",
    ),
    *(".git", "__MACOSX", "@eaDir", ".ipynb_checkpoints", "\udcff", "-x", "y" * 200, "con", "a."),
)
LINKS = {  # how a link is made, and whether a picture is behind it
    "to a picture outside": TAKEN,
    "to nothing": NAMED,
    "to itself": NAMED,
    "to its own folder": QUIET,
}


@dataclass(frozen=True)
class OddFile:
    """One file of a set: where it is, and what is in it."""

    folders: tuple[str, ...]
    stem: str
    ending: str
    kind: str
    picture: Picture

    @property
    def name(self) -> str:
        """The file's name: as much of the stem as a disk accepts, and the ending."""
        stem = os.fsencode(self.stem)[: 255 - len(self.ending.encode())]
        stem = os.fsencode(stem.decode(errors="ignore")) if len(self.stem) > 100 else stem
        return os.fsdecode(stem) + self.ending

    @property
    def path(self) -> str:
        """The path below the set's folder."""
        return "/".join((*self.folders, self.name))

    @property
    def outcome(self) -> str:
        """What gankit has to do with it: hidden files and those of systems are passed over."""
        parts = (*self.folders, self.name)
        if any(part.startswith(".") or part.lower() in SYSTEM_NAMES for part in parts):
            return QUIET
        return KINDS[self.kind].outcome

    @property
    def data(self) -> bytes:
        return KINDS[self.kind].write(self.picture)

    @property
    def is_portable(self) -> bool:
        """Whether every disk and every archive can store this path as it is."""
        return all(map(_is_portable, (*self.folders, self.name)))


def _is_portable(part: str) -> bool:
    return (
        part.isprintable()
        and not set('<>:"|?*\\') & set(part)
        and part == part.rstrip(" .")
        and part == unicodedata.normalize("NFC", part)
        and part.partition(".")[0].lower() not in ("con", "nul")
    )


@dataclass(frozen=True)
class OddSet:
    """A set of files, and links to pictures, to nothing and to folders."""

    files: tuple[OddFile, ...]
    links: tuple[str, ...] = ()

    def write_folder(self, folder: Path) -> None:
        """Write all files below a folder, and the links into it."""
        folder.mkdir()
        for file in self.files:
            path = folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.data)
        for link in self.links:
            self._write_link(folder, link)

    def _write_link(self, folder: Path, link: str) -> None:
        outside = folder.parent / "outside.png"
        outside.write_bytes(KINDS["RGB png"].write(Picture(16, 16, "noise", 1)))
        targets = {
            "to a picture outside": outside,
            "to nothing": folder / "absent",
            "to itself": link_name("to itself"),
            "to its own folder": folder,
        }
        (folder / link_name(link)).symlink_to(targets[link])

    def write_zip(self, path: Path) -> None:
        """Write all files into a zip; names that are not Unicode cannot be in it."""
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in self.files:
                archive.writestr(file.path, file.data)

    def write_tar(self, path: Path) -> None:
        """Write all files into a tar, compressed as its name says."""
        with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
            for file in self.files:
                info = tarfile.TarInfo(file.path)
                info.size = len(file.data)
                archive.addfile(info, io.BytesIO(file.data))

    @property
    def is_unicode(self) -> bool:
        """Whether all names are Unicode: others cannot be written into a zip."""
        return not any(
            "\ud800" <= letter <= "\udfff" for file in self.files for letter in file.path
        )

    @property
    def is_portable(self) -> bool:
        """Whether archives hold exactly the files of the folder."""
        paths = {file.path.casefold() for file in self.files}
        are_portable = all(file.is_portable for file in self.files)
        return are_portable and len(paths) == len(self.files) and not self.links

    def outcomes(self) -> dict[str, list[str]]:
        """The outcomes of all files and links, by the name that gankit shows."""
        outcomes: dict[str, list[str]] = {}
        for file in self.files:
            outcomes.setdefault(shown(file.path), []).append(file.outcome)
        for link in self.links:
            outcomes.setdefault(link_name(link), []).append(LINKS[link])
        return outcomes


def link_name(link: str) -> str:
    """The name of a link, which no file of a set has."""
    return f"link {link}" if link == "to its own folder" else f"link {link}.png"


def shown(path: str) -> str:
    """A path in one line of a terminal."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "?" for c in path)


# ---------------------------------------------------------------- what hypothesis composes

_letters = st.characters(exclude_characters="/\0", exclude_categories=["Cs"])
_stems = st.one_of(
    st.sampled_from(STEMS), st.integers(0, 99).map(str), st.text(_letters, max_size=8)
)
_folders = st.one_of(
    st.just(()),
    st.just(()),
    st.lists(st.sampled_from(FOLDERS), min_size=1, max_size=3).map(tuple),
    st.just(("d",) * 45),
)
_pictures = st.builds(
    lambda size, look, seed: Picture(*size, look, seed),
    st.sampled_from(SIZES),
    st.sampled_from(tuple(LOOKS)),
    st.integers(0, 10_000),
)


@st.composite
def _files(draw: st.DrawFn) -> OddFile:
    kind = draw(st.sampled_from(tuple(KINDS)))
    ending = draw(st.sampled_from(KINDS[kind].endings))
    file = OddFile(draw(_folders), draw(_stems), ending, kind, draw(_pictures))
    return (
        file if file.name not in ("", ".", "..") else OddFile((), "x", ending, kind, file.picture)
    )


@st.composite
def _plain_files(draw: st.DrawFn) -> list[OddFile]:
    """Usual files with usual names, so that there is something to train on."""
    picture = draw(_pictures)
    count = draw(st.sampled_from((0, 1, 2, 4, 4, 5, 8)))
    kind = draw(st.sampled_from(("jpeg", "RGB png", "L png", "I;16 tiff", "RGBA png")))
    ending = KINDS[kind].endings[0]
    return [
        OddFile((), f"plain {n}", ending, kind, picture._replace(seed=picture.seed + n))
        for n in range(count)
    ]


@st.composite
def odd_sets(draw: st.DrawFn) -> OddSet:
    """Sets of 0 to 14 files, most of them odd, in folders and with links."""
    files = draw(st.lists(_files(), max_size=6)) + draw(_plain_files())
    by_path = {file.path: file for file in files}
    folders = {"/".join(file.folders[:n]) for file in files for n in range(1, 50)}
    files = [file for path, file in by_path.items() if path not in folders]
    links = draw(st.lists(st.sampled_from(tuple(LINKS)), max_size=2, unique=True))
    return OddSet(tuple(files), tuple(links))


@dataclass(frozen=True)
class Use:
    """How a set is used: how its path is given, and the options of the training."""

    path: str  # a key of PATHS
    trained: str  # "folder", "zip", "tar" or "" for no training
    options: tuple[str, ...]


PATHS = ("absolute", "relative", "with a slash", "from home", "here")
OPTIONS = {
    "--fit": ("crop", "pad", "stretch", "patches:size=12", "patches:size=16,stride=7"),
    "--channels": ("auto", "1", "3"),
    "--background": ("black", "#80ff00"),
    "--batch-size": ("1", "2", "4", "5"),
    "--holdout": ("0.3", "0.9"),
    "--subset": ("1", "3", "100"),
    "--zoom": ("1.5", "4"),
    "--trick": ("diffaugment", "ada"),
}


@st.composite
def uses(draw: st.DrawFn) -> Use:
    """Every way to give a path, and any of the options that concern pictures."""
    names = draw(st.lists(st.sampled_from(tuple(OPTIONS)), max_size=3, unique=True))
    options = [word for name in names for word in (name, draw(st.sampled_from(OPTIONS[name])))]
    if "--batch-size" not in names:
        options += ["--batch-size", "4"]
    trained = draw(st.sampled_from(("folder", "folder", "zip", "tar")))
    return Use(draw(st.sampled_from(PATHS)), trained, tuple(options))
