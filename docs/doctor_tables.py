"""The tables of the doctor's bench, from the records of its runs (`write_doctor.py`)."""

import math
import statistics
from collections import Counter

from gankit_doctor.cases import CASES, TEST, TUNING

BETTER = 0.8  # of the broken run's SWD: less is better, and by more than chance

HEAD = """# How good is the doctor?

Written by `docs/write_doctor.py`, which makes all of these runs: `python docs/write_doctor.py`. An
interval is that of Wilson (1927), 95 %.

The thresholds of the doctor's rules were chosen on the **tuning half**: petals of 32 px and mostly
a narrow DCGAN. The **test half** has other pictures (stained tissue), mostly other networks, and
other seeds; none of its runs was used to choose a threshold. A tool made of rules looks better on
its own bench than elsewhere, so read the test half.

A broken run counts as named right if the first finding is a right one, be it an alarm or a note. A
few cases have two right names, because both are honestly the cause.
"""


def wilson(hits, count, z=1.96):
    """The 95 % interval (low, high) of a share of `hits` in `count` trials, by Wilson (1927)."""
    if count == 0:
        return 0.0, 1.0
    share = hits / count
    denominator = 1 + z * z / count
    centre = (share + z * z / (2 * count)) / denominator
    half = z / denominator * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, centre - half), min(1.0, centre + half)


def share_text(hits, count):
    """`54 of 60 (80 to 95 %)`."""
    if count == 0:
        return "none"
    low, high = wilson(hits, count)
    return f"{hits} of {count} ({100 * low:.0f} to {100 * high:.0f} %)"


def is_healthy(record):
    return not record["expected"]


def is_named_right(record):
    """Whether the first finding of a broken run is a right one."""
    return bool(record["named"]) and record["named"][0] in record["expected"]


def is_better(cure):
    """Whether the pictures of the cured run have a clearly lower SWD than those of the broken."""
    if cure["after"] is None:
        return False
    return cure["before"] is None or cure["after"] < BETTER * cure["before"]


def table(headings, rows):
    """A table in Markdown."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def of_half(records, half):
    return [record for record in records if record["half"] == half]


def named_table(records):
    """What was broken against what was named first: a row for each broken case."""
    rows = []
    for name in dict.fromkeys(record["case"] for record in records):
        runs = [record for record in records if record["case"] == name]
        first = Counter(record["named"][0] if record["named"] else "nothing" for record in runs)
        firsts = ", ".join(f"{finding} {count}" for finding, count in first.most_common())
        named_right = sum(map(is_named_right, runs))
        anywhere = sum(bool(set(record["named"]) & set(record["expected"])) for record in runs)
        rows.append(
            [
                name,
                CASES[name].reason,
                " or ".join(CASES[name].expected),
                firsts,
                f"{named_right} of {len(runs)}",
                f"{anywhere} of {len(runs)}",
            ]
        )
    headings = ["case", "what is wrong", "right", "named first", "right first", "named at all"]
    return table(headings, rows)


def healthy_table(records):
    """The alarms in healthy runs: a row for each case."""
    rows = []
    for name in dict.fromkeys(record["case"] for record in records):
        runs = [record for record in records if record["case"] == name]
        alarms = Counter(alarm for record in runs for alarm in record["alarms"])
        verdicts = Counter(record["verdict"] for record in runs)
        rows.append(
            [
                name,
                CASES[name].reason,
                len(runs),
                sum(bool(record["alarms"]) for record in runs),
                ", ".join(f"{alarm} {count}" for alarm, count in alarms.most_common()),
                ", ".join(f"{verdict} {count}" for verdict, count in verdicts.most_common()),
            ]
        )
    headings = ["case", "why it may mislead", "runs", "with an alarm", "alarms", "verdicts"]
    return table(headings, rows)


def cure_table(records):
    """Was the cure a cure: a row for each case whose finding was right."""
    rows = []
    cured = [record for record in records if "cure" in record]
    for name in dict.fromkeys(record["case"] for record in cured):
        runs = [record for record in cured if record["case"] == name]
        gone = [record["cure"]["gone"] for record in runs]
        better = [is_better(record["cure"]) for record in runs]
        cured_runs = sum(g and b for g, b in zip(gone, better, strict=True))
        finding = Counter(record["named"][0] for record in runs).most_common(1)[0][0]
        rows.append(
            [
                name,
                finding,
                f"{sum(gone)} of {len(runs)}",
                f"{sum(better)} of {len(runs)}",
                f"{cured_runs} of {len(runs)}",
                swd_text([record["cure"] for record in runs]),
            ]
        )
    headings = ["case", "finding", "gone", "pictures better", "both", "SWD before and after"]
    return table(headings, rows)


def swd_text(cures):
    """`150 -> 70`: the medians of the runs; `-` where no run has a checkpoint."""
    texts = []
    for when in ("before", "after"):
        values = [cure[when] for cure in cures if cure[when] is not None]
        texts.append(f"{statistics.median(values):.0f}" if values else "-")
    return " → ".join(texts)


def delay_table(records):
    """After how many steps the right finding began: a row for each right first finding."""
    delays = {}
    for record in records:
        if is_named_right(record):
            finding = record["named"][0]
            delays.setdefault(finding, []).append((record["since"][finding], record["steps"]))
    rows = []
    for finding, pairs in sorted(delays.items()):
        steps = [since for since, _ in pairs]
        shares = [since / total for since, total in pairs]
        rows.append(
            [
                finding,
                len(pairs),
                f"{statistics.median(steps):.0f} ({min(steps)} to {max(steps)})",
                f"{statistics.median(shares):.0%}",
            ]
        )
    return table(["finding", "runs", "steps until it began", "share of the run"], rows)


def cost_text(pairs):
    """A sentence about the times with and without the doctor, measured in turns."""
    if not pairs:
        return "Not measured."
    ratios = [with_doctor / without for with_doctor, without in pairs]
    return (
        f"The case `plain` took {statistics.median(ratios):.3f} times as much of the processor's "
        f"time with the doctor as without ({min(ratios):.3f} to {max(ratios):.3f}: median and "
        f"range of {len(ratios)} pairs, measured in turns on one thread)."
    )


def made_text(records, half):
    """How many of the planned runs of a half were made."""
    planned = {True: 0, False: 0}
    for case in CASES.values():
        planned[bool(case.expected)] += len(case.seeds(half))
    healthy = sum(map(is_healthy, records))
    broken = len(records) - healthy
    return (
        f"{broken} of {planned[True]} broken runs and {healthy} of {planned[False]} healthy ones "
        "were made."
    )


def half_section(records, half):
    runs = of_half(records, half)
    broken = [record for record in runs if not is_healthy(record)]
    healthy = [record for record in runs if is_healthy(record)]
    cured = [record["cure"] for record in broken if "cure" in record]
    cures = sum(cure["gone"] and is_better(cure) for cure in cured)
    alarmed = sum(bool(record["alarms"]) for record in healthy)
    named_right = sum(map(is_named_right, broken))
    return f"""## The {half} half

- {made_text(runs, half)}
- Named right as the first finding: {share_text(named_right, len(broken))}.
- Healthy runs with an alarm: {share_text(alarmed, len(healthy))}.
- Cures that removed the finding and gave better pictures: {share_text(cures, len(cured))}.
- Runs that were named right whose cure was tried: {len(cured)} of {named_right}.

### What was broken, and what was named ({half})

{named_table(broken)}

### Healthy runs ({half})

{healthy_table(healthy)}

### Was the cure a cure? ({half})

{CURE_TEXT}

{cure_table(broken)}

### Delay ({half})

{delay_table(broken)}
"""


CURE_TEXT = (
    "The command that the doctor printed was run as it is, for runs that were named right. The "
    "finding is gone if the doctor does not name it in the new run. The pictures are better if "
    f"their SWD is below {BETTER} of that of the broken run, or if the broken run left no "
    "checkpoint to draw pictures with. The rules do not use SWD. It does not see overall colour."
)


def page(results):
    """The text of bench.md."""
    halves = [half for half in (TEST, TUNING) if of_half(results["records"], half)]
    sections = [half_section(results["records"], half) for half in halves]
    cost = f"## Cost\n\n{cost_text(results['cost'])}\n"
    return "\n".join([HEAD, *sections, cost])
