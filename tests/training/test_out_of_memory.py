"""When memory runs out, gankit names the largest batch that fits."""

import re
import weakref

import pytest
import torch

import gankit
from gankit.training import assemble, out_of_memory
from gankit.training.out_of_memory import is_out_of_memory

ERRORS = {
    "CUDA": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "a CPU": lambda: RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to ..."),
    "Python": MemoryError,
}


@pytest.fixture
def memory_for(monkeypatch):
    """`memory_for(4, MemoryError)`: training on more than 4 pictures raises that error."""

    def make(largest, error):
        step = assemble.Trainer.step

        def limited_step(trainer, number):
            if trainer.run.batch_size > largest:
                raise error()
            return step(trainer, number)

        monkeypatch.setattr(assemble.Trainer, "step", limited_step)

    return make


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_the_largest_batch_that_fits_is_named(error, memory_for, gankit_run):
    memory_for(4, error)
    code, out, err = gankit_run("--batch-size", "16", "--dataset", "petals:count=64")
    for fact in ("16", "--batch-size 4", "--accumulate 4"):
        assert fact in err
    assert err.count("\n") == 1
    assert re.search("^failed ", out, re.M)  # not "finished already"
    assert code == 1


def test_a_batch_in_micro_batches_is_cut_further(memory_for, gankit_run):
    """A step on one micro-batch needs as much memory as many, since each frees its graph."""
    memory_for(3, MemoryError)
    code, _, err = gankit_run("--batch-size", "30", "--accumulate", "2")
    for fact in ("30", "2 micro-batches", "--batch-size 3", "--accumulate 10"):
        assert fact in err
    assert code == 1


def test_the_largest_batch_is_that_of_all_processes(memory_for, gankit_run, monkeypatch):
    memory_for(4, MemoryError)
    monkeypatch.setenv("WORLD_SIZE", "2")  # each takes 8 of the 16
    err = gankit_run("--batch-size", "16", "--dataset", "petals:count=64").err
    for fact in ("--batch-size 8", "--accumulate 2"):
        assert fact in err


def test_a_narrower_model_is_advised_if_no_batch_fits(memory_for, gankit_run):
    memory_for(0, MemoryError)
    code, _, err = gankit_run("--batch-size", "8")
    assert re.search(r"\b8\b.* memory", err)
    assert ":base_channels=16" in err
    assert code == 1


def test_networks_too_large_to_build_are_not_a_mistake_of_the_plugin(gankit_run, monkeypatch):
    def build(*args, **sizes):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to ...")

    monkeypatch.setattr("gankit_dcgan.nets.Generator.__init__", build)
    code, _, err = gankit_run("--batch-size", "8", "--model", "dcgan64")
    assert re.search(r"\b8\b.* memory", err)
    assert ":base_channels=16" in err
    assert code == 1


def test_other_errors_are_not_out_of_memory():
    assert not is_out_of_memory(RuntimeError("shapes cannot be multiplied"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_the_error_that_torch_raises_is_recognised():
    with pytest.raises(RuntimeError) as raised:
        torch.empty(2**55, dtype=torch.uint8)
    assert is_out_of_memory(raised.value)


def test_a_program_gets_the_advice_too(memory_for, tiny, here):
    memory_for(4, MemoryError)
    run = gankit.compose(**tiny(batch_size=16, dataset="petals:count=64"))
    with pytest.raises(gankit.RunFailed, match=r"batch_size=4, .* accumulate=4$"):
        gankit.train(run, quiet=True)


def test_a_race_names_the_batch(memory_for, gankit_cli):
    memory_for(4, MemoryError)
    words = "race --vary lr-g=1e-3,2e-3 --seeds 2 --budget 2steps --batch-size 16 --out race"
    networks = ("--model", "dcgan64:base_channels=4", "--image-size", 16)
    code, _, err = gankit_cli(*words.split(), "--dataset", "petals:count=64", *networks)
    assert (code, err.count("use --batch-size 4")) == (1, 1)


@pytest.mark.parametrize("options", [("--budget", "5s"), ("--dry-run",)])
def test_a_plan_names_the_batch(memory_for, gankit_run, here, options):
    memory_for(4, MemoryError)
    data = ("--dataset", "petals:count=64", "--out", "run")
    code, _, err = gankit_run("--batch-size", "16", *data, *options)
    assert (code, err.count("use --batch-size 4")) == (1, 1)
    assert not (here / "run").exists()


@pytest.mark.parametrize("text", ["CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED"])
def test_libraries_of_cuda_say_it_in_other_words(text):
    assert is_out_of_memory(RuntimeError(f"CUDA error: {text} when calling `cublasCreate(handle)`"))


def test_frames_of_the_first_error_are_freed_before_smaller_batches_are_tried(
    gankit_run, monkeypatch
):
    """A guard raises an error with the name of a part; frames of the first error hold the graph."""
    from gankit.core.gan import Gan

    generate = Gan.generate
    held = []
    at_retry = []

    def generate_with_graph(gan, z, *labels):
        if len(z) > 4:
            graph = torch.ones(9)
            held.append(weakref.ref(graph))
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        at_retry.append([reference() is None for reference in held])
        return generate(gan, z, *labels)

    monkeypatch.setattr(Gan, "generate", generate_with_graph)
    assert "use --batch-size 4" in gankit_run("--batch-size", "16").err
    assert at_retry
    assert all(all(freed) for freed in at_retry)


def test_memory_that_runs_out_in_a_trial_is_no_mistake_of_the_trick(
    gankit_run, plugin_file, tiny, here
):
    trick = plugin_file(
        """
        import torch

        class Large(Trick):
            def d_input(self, images, gan):
                if len(images) > 4:
                    raise torch.OutOfMemoryError("CUDA out of memory")
                return images

        @hookimpl
        def register_tricks(register):
            register(TrickSpec(name="large", summary="s", source="s", build=Large))
        """
    )
    options = ("--batch-size", "16", "--dataset", "petals:count=64", "--trick", "large")
    code, _, err = gankit_run(*options, before=("-p", str(trick)))
    assert "use --batch-size 4" in err
    assert code == 1


def test_what_the_caller_holds_is_not_freed():
    """As in a notebook, or with `except ValueError: gankit.train(...)`."""

    def fail():
        held = "by the caller"
        raise ValueError(held)

    with pytest.raises(ValueError, match="by the caller") as of_caller:
        fail()
    error = MemoryError()
    error.__context__ = of_caller.value
    out_of_memory._free_frames(error)
    assert of_caller.traceback[-1].frame.f_locals == {"held": "by the caller"}
