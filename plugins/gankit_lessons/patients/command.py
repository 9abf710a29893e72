"""`gankit patient`: list broken runs, make one, and grade a name and a cure."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gankit.cli.check_output import check_output
from gankit.cli.terminal.live_terminal import has_windows, is_terminal
from gankit.cli.terminal.log import show_log
from gankit.core.errors import GankitError
from gankit.core.printable import printable
from gankit.core.shell import quote_word
from gankit_lessons.patients.patients import HEALTHY, PATIENTS, Patient, check_name, find_patient

if TYPE_CHECKING:
    from gankit.core.parts.registry import Registry
    from gankit.core.run.settings import Run
    from gankit_lessons.patients.folder import Result


@click.command()
@click.argument("which", nargs=-1, metavar="[NUMBER]")
@click.option("--name", metavar="NAME", help="What is wrong: the name of a finding.")
@click.option(
    "--cure", metavar="OPTIONS", help="Options of gankit run that heal it, or a whole command."
)
@click.option("--hint", "wants_hint", is_flag=True, help="Show the next of three hints.")
@click.option("--key", "wants_key", is_flag=True, help="For teachers: names, and a cure for each.")
@click.option(
    "--results", "wants_results", is_flag=True,
    help="For teachers: a table of what the students in these folders did.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="With --results: print JSON.")
@click.option(
    "--out", type=Path, default=Path("patients"), show_default=True, metavar="DIR",
    help="Folder for the patients.",
)  # fmt: skip
@click.pass_context
def patient(ctx: click.Context, /, which: tuple[str, ...], **given: Any) -> None:
    """Heal a broken run: make patient NUMBER, name what is wrong, and cure it.

    Without NUMBER, list the patients. With --results, give the folders of students instead.
    """
    _require_one_task(given)
    if given["wants_results"]:
        _print_results(which, as_json=given["as_json"])
        return
    if given["as_json"]:
        raise GankitError("--json works with --results only: omit it")
    if len(which) > 1:
        raise GankitError("give the number of one patient at a time, such as gankit patient 7")
    chosen = find_patient(which[0]) if which else None
    if given["wants_key"]:
        _print_key([chosen] if chosen else list(PATIENTS.values()))
    elif chosen is None:
        _refuse_without_number(given)
        _print_list(given["out"])
    elif given["wants_hint"]:
        _print_hint(chosen, given["out"])
    else:
        _see(ctx.obj, chosen, given["out"], given["name"], given["cure"])


def _require_one_task(given: dict[str, Any]) -> None:
    tasks = {
        "--results": given["wants_results"],
        "--key": given["wants_key"],
        "--hint": given["wants_hint"],
        "--name or --cure": given["name"] or given["cure"],
    }
    given_tasks = [option for option, value in tasks.items() if value]
    if len(given_tasks) > 1:
        raise GankitError(f"{' and '.join(given_tasks)} are different tasks: give one of them")


def _refuse_without_number(given: dict[str, Any]) -> None:
    for option, value in (("--hint", given["wants_hint"]), ("--name", given["name"]),
                          ("--cure", given["cure"])):  # fmt: skip
        if value:
            raise GankitError(f"{option} needs the number of a patient, such as gankit patient 7")


def _print_list(out: Path) -> None:
    """A line for each patient: number, length, pictures, and what you did with it."""
    from gankit_lessons.patients.folder import patient_folder, read_result
    from gankit_lessons.patients.results import mark

    for number, item in PATIENTS.items():
        folder = patient_folder(out, number)
        try:
            state = mark(read_result(folder, number))
        except GankitError as error:
            state = str(error)
        if number == HEALTHY:
            state = "healthy, to compare with"
        elif not state and (folder / "run").is_dir():
            state = "made"
        size = item.case.settings["image_size"]
        facts = f"{number:3}  {item.steps} steps, {item.case.settings['dataset']}, {size} px"
        click.echo(f"{facts}  {state}".rstrip())
    click.echo("\nMake one and look at it: gankit patient 7 (about 20 seconds)")


def _print_key(patients: list[Patient]) -> None:
    for item in patients:
        names = " or ".join(item.names) or "healthy"
        click.echo(f"{item.number:3}  {names}: {item.case.reason or 'not broken'}")
        if item.cure:
            click.echo(f"     a cure: {item.cure}")


def _print_results(folders: tuple[str, ...], *, as_json: bool) -> None:
    from gankit_lessons.patients import results

    if not folders:
        raise GankitError("--results needs the folders of students: gankit patient --results anna")
    with show_log():
        students = results.read_class(folders)
    if as_json:
        click.echo(json.dumps(results.as_dict(students), indent=2))
        return
    for line in results.table(students):
        click.echo(printable(line))


def _print_hint(chosen: Patient, out: Path) -> None:
    """The hints shown before, and one more."""
    from gankit_lessons.patients.folder import describe_hint, next_hint, patient_folder, read_result

    if chosen.number == HEALTHY:
        raise GankitError(f"patient {HEALTHY} is healthy, so there is nothing to find")
    folder = patient_folder(out, chosen.number)
    check_output(folder)
    result = read_result(folder, chosen.number)
    next_hint(folder, result, chosen.hints)
    for number in range(1, result.hints + 1):
        click.echo(describe_hint(number, chosen.hints))


def _see(
    registry: Registry, chosen: Patient, out: Path, name: str | None, cure: str | None
) -> None:
    """Make the patient, show where to look, and grade a name and a cure, typed or asked for."""
    from gankit.training.run_folder.folder_lock import FolderLock
    from gankit_lessons.patients.folder import patient_folder

    names = [spec.name for spec in registry.specs("rule")]
    if chosen.number == HEALTHY and (name or cure):
        raise GankitError(f"patient {HEALTHY} is healthy, so there is nothing to name or to cure")
    if name:
        name = check_name(name, names)
    folder = patient_folder(out, chosen.number)
    check_output(folder)
    with show_log(), FolderLock(folder).acquire("choose another --out"):
        _treat(registry, chosen, folder, name, cure)


def _treat(
    registry: Registry, chosen: Patient, folder: Path, name: str | None, cure: str | None
) -> None:
    from gankit_lessons.patients import examination
    from gankit_lessons.patients.folder import read_result
    from gankit_lessons.patients.grade import explain
    from gankit_lessons.patients.train import make_patient

    result = read_result(folder, chosen.number)
    click.echo(f"patient {chosen.number}: {chosen.steps} steps, about 20 seconds on two cores")
    run = make_patient(chosen, folder, registry)
    page = examination.report(chosen, run, result, folder.parent)
    _print_places(chosen, run.folder, page)
    if chosen.number == HEALTHY:
        return
    if not (name and cure) and is_terminal(sys.stdin) and has_windows():
        click.launch(str(page))
    answer = _answer(registry, chosen, run, result, name, cure)
    if answer is None:
        return
    click.echo("training it again with your cure")
    grade = examination.try_cure(chosen, *answer, run, result, registry)
    examination.report(chosen, run, result, folder.parent)
    for line in explain(grade, chosen.names):
        click.echo(printable(line))
    click.echo(printable(f"compare: {page}"))


def _answer(
    registry: Registry,
    chosen: Patient,
    run: Run,
    result: Result,
    name: str | None,
    cure: str | None,
) -> tuple[str, str] | None:
    """The name and the cure: those given, or typed in a terminal; None if there is no answer."""
    from gankit_lessons.patients.ask import Questions, Quit
    from gankit_lessons.patients.folder import next_hint

    if name and cure:
        return name, cure
    if not is_terminal(sys.stdin):
        _require_both(chosen, name, cure)
        return None
    folder = run.folder.parent
    questions = Questions(registry, run, lambda: next_hint(folder, result, chosen.hints))
    try:
        name = name or questions.name()
        return name, cure or questions.cure()
    except Quit:
        click.echo(f"to answer later: gankit patient {chosen.number}")
        return None


def _print_places(chosen: Patient, run: Path, page: Path) -> None:
    click.echo(printable(f"report:  {page}"))
    click.echo(printable(f"grids:   {run / 'samples'}"))
    click.echo(printable(f"numbers: {run / 'log.csv'}"))
    if chosen.number != HEALTHY:
        click.echo("run.json and gankit doctor give the answer away: use them afterwards")


def _require_both(chosen: Patient, name: str | None, cure: str | None) -> None:
    """Say how to answer where nobody can be asked; an error if half of an answer was given."""
    how = f"gankit patient {chosen.number} --name NAME --cure {quote_word('OPTIONS of gankit run')}"
    if name or cure:
        missing = "--cure" if name else "--name"
        raise GankitError(f"{missing} is missing, and there is no terminal to ask in: {how}")
    click.echo(f"answer:  {how}")
    click.echo(f"         gankit patient {chosen.number} --hint; gankit list rule has the names")
