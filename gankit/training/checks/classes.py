"""Refuse parts that cannot work with class labels, before the first step."""

from gankit.core.errors import GankitError
from gankit.core.parts.registry import Registry
from gankit.core.run.settings import Run

PARAMETER = "num_classes"  # of the builder of a network that takes class labels


def require_takes_classes(run: Run, registry: Registry, kind: str) -> None:
    """GankitError unless the run's G or D takes class labels; it names those that do."""
    choice = getattr(run, kind)
    with registry.attribute_errors_to(kind, choice):
        if PARAMETER in registry.find(kind, choice.name).parameters():
            return
    names = ", ".join(_networks_with_classes(registry, kind))
    raise GankitError(
        f"{kind} {choice.name!r} does not take class labels, as its builder has no parameter "
        f"{PARAMETER}: use one that does ({names}), or omit --class-labels"
    )


def _networks_with_classes(registry: Registry, kind: str) -> list[str]:
    """The networks of a kind that take class labels; those that cannot be imported do not count."""
    names = []
    for spec in registry.specs(kind):
        try:
            if PARAMETER in spec.parameters():
                names.append(spec.name)
        except Exception:  # of a plugin's code, which another error names when it is used
            continue
    return names
