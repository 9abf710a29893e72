"""Ask a student, in a terminal, what is wrong with a patient and how to cure it."""

from __future__ import annotations

from collections.abc import Callable

import click

from gankit.core.errors import GankitError
from gankit.core.parts.registry import Registry
from gankit.core.printable import printable
from gankit.core.run.settings import Run, option
from gankit_lessons.patients.cure import MAY_CHANGE, read_cure
from gankit_lessons.patients.patients import check_name

QUIT = ("q", "quit")
HINT = ("h", "hint")


class Quit(Exception):
    """The student stops."""


class Questions:
    """Asks for a name and a cure until they can be read. Quit if the student stops."""

    def __init__(self, registry: Registry, run: Run, next_hint: Callable[[], str]) -> None:
        self.registry = registry
        self.run = run
        self.next_hint = next_hint

    def name(self) -> str:
        """The name of a finding."""
        specs = self.registry.specs("rule")
        click.echo("\nWhat can be wrong:")
        for spec in specs:
            click.echo(printable(f"  {spec.name:20} {spec.summary}"))
        names = [spec.name for spec in specs]
        return self._ask("What is wrong? (a name, h: hint, q: quit) ",
                         lambda answer: check_name(answer, names))  # fmt: skip

    def cure(self) -> str:
        """Options of `gankit run`."""
        click.echo(f"\nA cure may change {', '.join(map(option, MAY_CHANGE))}.")

        def check(answer: str) -> str:
            read_cure(answer, self.run, self.registry)
            return answer

        return self._ask("Your command, options of gankit run (h: hint, q: quit) ", check)

    def _ask(self, prompt: str, check: Callable[[str], str]) -> str:
        while True:
            answer = self._line(prompt)
            try:
                return check(answer)
            except click.UsageError as error:
                click.echo(printable(error.format_message()))
            except GankitError as error:
                click.echo(printable(str(error)))

    def _line(self, prompt: str) -> str:
        """A line that is typed; `h` prints a hint and asks again."""
        while True:
            try:
                answer = input(prompt).strip()
            except EOFError:
                raise Quit from None
            if answer.lower() in QUIT:
                raise Quit
            if answer.lower() in HINT:
                click.echo(self.next_hint())
            elif answer:
                return answer
