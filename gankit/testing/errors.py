"""The error that the conformance kit raises."""


class BrokenContract(AssertionError):
    """A part does not do what gankit or another part relies on."""
