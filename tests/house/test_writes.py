"""Every file is written through gankit.core.files.atomic_write, which never leaves half a file."""

import ast
import re

import pytest
from imports import find_modules

# Other functions that write, and why they may.
ALLOWED = {
    "gankit.core.files.atomic_write:open_atomically": "it is the one way",
    "gankit.core.files.atomic_write:flush_and_rename": "flushes a file before it is renamed",
    "gankit.core.files.atomic_write:try_to_create": "an empty file, which is deleted at once",
    "gankit.runs.log:append_rows": "appends whole rows, and takes back half a row",
    "gankit.runs.log:_open_no_link": "opens the log for append_rows",
    "gankit.data.fetch.limited_writer:_create": "in a new folder, renamed when it is complete",
    "gankit.data.fetch.transfer:_transfer_once": "appends to a part, renamed when it is verified",
    "gankit.cli.terminal.output:safe_output": "opens the null device in place of a closed stream",
    "gankit.cli.terminal.output:discard": "opens the null device, after a pipe was closed",
    "gankit.core.files.read_file:_open_without_waiting": "reads; the flags are those of `open`",
    "gankit.runs.video:_encode_mp4": "into memory",
    "gankit.runs.video:write_video": "webp and gif, into memory",
    "gankit.testing.gpu.page:_picture": "beside a page, into a folder made for it",
    "gankit.testing.gpu.numbers:resumed": "copies a run into a temporary folder",
    "gankit_export.torch_files:_to_bytes": "torch.save, into memory",
    "gankit_export.torch_files:_program": "torch.export.save, into memory",
    "gankit_tensorboard:run_started": "TensorBoard's own writer, into a new file",
    "gankit_tensorboard:_write_numbers": "TensorBoard's own writer, into a new file",
}
WRITERS = {
    "NamedTemporaryFile", "SummaryWriter", "TemporaryFile", "copy2", "copyfile", "copytree",
    "fdopen", "hardlink_to", "imsave", "imwrite", "mkstemp", "move", "open_memmap", "save_file",
    "save_model", "savefig", "savetxt", "savez", "savez_compressed", "symlink_to", "tofile",
    "touch", "write_bytes", "write_image", "write_text",
}  # fmt: skip
WITH_MODE = ("open", "memmap", "ZipFile")
MODE = re.compile(r"[rbt+|:]*[wax+][rbt+|:]*")
NO_FILE = {
    "checkpoint",
    "progress",
    "self",
    "self.saver",
    "safetensors.torch",
}  # their `save` is another


def is_mode(node):
    """Whether an argument is, or may be, a mode in which a file is written."""
    texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    return any(isinstance(text, str) and MODE.fullmatch(text) for text in texts)


def writes(call):
    """Whether a call writes a file by its path; a variable named `file` is an open file."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    arguments = [*call.args, *(keyword.value for keyword in call.keywords)]
    takes_file = bool(call.args) and ast.unparse(call.args[0]) == "file"
    if name in ("save", "imopen"):
        receiver = ast.unparse(call.func).rpartition(".")[0]
        return not takes_file and receiver not in NO_FILE
    if name == "open" and ast.unparse(call.func) == "os.open":
        return ast.unparse(call.args[1]) != "os.O_RDONLY"
    if name in WITH_MODE:
        return any(map(is_mode, arguments))
    return name in WRITERS or ast.unparse(call.func) == "shutil.copy"


def find_writes(tree, function=""):
    """The names of the functions in a syntax tree that write files."""
    for node in ast.iter_child_nodes(tree):
        inside = node.name if isinstance(node, ast.FunctionDef) else function
        if isinstance(node, ast.Call) and writes(node):
            yield inside
        yield from find_writes(node, inside)


def test_files_are_written_in_one_way_only():
    found = set()
    for module, path in find_modules().items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found |= {f"{module}:{function}" for function in find_writes(tree)}
    assert found == set(ALLOWED)


@pytest.mark.parametrize(
    "line",
    [
        "path.write_text('x')",
        "path.write_bytes(b'x')",
        "path.open('w')",
        "path.open(mode='a')",
        "open(path, 'xb')",
        "open(path, 'r+')",
        "io.open(path, 'ab' if start else 'wb')",
        "gzip.open(path, 'wt')",
        "os.open(path, os.O_WRONLY | os.O_CREAT)",
        "os.fdopen(handle, 'w')",
        "np.save(path, array)",
        "np.save(self.folder / 'groups.npy', array)",
        "np.memmap(path, np.uint8, 'w+')",
        "array.tofile(path)",
        "torch.save(tree, path)",
        "picture.save(path)",
        "Image.fromarray(pixels).save('x.png', 'PNG')",
        "figure.savefig(path)",
        "imageio.imwrite(path, pixels)",
        "shutil.copy(path, other)",
        "SummaryWriter(folder)",
        "path.touch()",
    ],
)
def test_another_way_to_write_is_found(line):
    assert list(find_writes(ast.parse(f"def plant():\n    {line}"))) == ["plant"]


@pytest.mark.parametrize(
    "line",
    [
        "path.open('rb')",
        "open(path)",
        "Image.open(path)",
        "np.save(file, array)",
        "picture.save(file, format='PNG')",
        "safetensors.torch.save(tensors)",
        "np.memmap(path, np.uint8, 'r')",
        "os.open(folder, os.O_RDONLY)",
        "write_atomically(path, 'w')",
    ],
)
def test_reading_and_writing_into_an_open_file_are_fine(line):
    assert list(find_writes(ast.parse(line))) == []
