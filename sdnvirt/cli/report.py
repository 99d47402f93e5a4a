"""The report of a run as text for a terminal."""

from __future__ import annotations

from textwrap import wrap
from typing import Final, NamedTuple

from click import style

from sdnvirt.network.checks import CheckResult
from sdnvirt.network.commands import CommandRun
from sdnvirt.network.report import EXAMPLES, DropLine, Happening, Report, Settled
from sdnvirt.units import format_time

NARROWEST: Final = 60
WIDEST: Final = 120
"""Columns that text is wrapped at: a terminal narrower or wider is taken for one of these."""

PLACES: Final = 3
"""Places that are named for each reason of drops, the most frequent first; the JSON has all."""

_LABEL: Final = 12
_MARKS: Final = {True: ("ok", "green"), False: ("FAIL", "red"), None: ("?", "yellow")}


def report_text(report: Report, width: int = WIDEST) -> str:
    """Return a report as text; colours are left out by whoever prints to no terminal.

    Args:
        report: what the run found.
        width: columns; explanations are wrapped there, and tables are as wide as they must be.
    """
    width = min(max(width, NARROWEST), WIDEST)
    sections = [_head(report, width), _checks(report, width)]
    if report.traffic:
        sections.append(_traffic(report))
    if report.drops:
        sections.append(_drops(report.drops, width))
    sections += [_figures(report, width), _verdict(report)]
    return "\n\n".join(sections)


def _head(report: Report, width: int) -> str:
    lines = [style(report.name, bold=True)]
    lines += wrap(report.description, width)
    built = ", ".join(f"{count} {_plural(kind, count)}" for kind, count in report.built.items())
    lines += _labelled("built", f"{built}; seed {report.seed}", width)
    if report.controller:
        lines += _labelled("controller", report.controller, width)
    return "\n".join(lines)


def _labelled(label: str, text: str, width: int) -> list[str]:
    return _indented(text, width, _LABEL, f"{label:<{_LABEL}}")


def _indented(text: str, width: int, indent: int, first: str | None = None) -> list[str]:
    """Return text wrapped and indented; names and paths are never broken."""
    return wrap(
        text,
        width,
        initial_indent=" " * indent if first is None else first,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _plural(kind: str, count: int) -> str:
    if count != 1:
        return kind
    return kind.removesuffix("es") if kind == "switches" else kind.removesuffix("s")


def _checks(report: Report, width: int) -> str:
    """Return checks and timeline in order of time."""
    times = [check.at_ns for check in report.checks] + [one.at_ns for one in report.timeline]
    times += [one.at_ns for one in report.commands]
    layout = _Layout(
        time=max((len(format_time(time)) for time in times), default=0),
        title=max((len(check.title) for check in report.checks), default=0),
        width=width,
    )
    lines = [(one.at_ns, layout.happening(one)) for one in report.timeline]
    lines += [(one.at_ns, layout.command(one)) for one in report.commands]
    lines += [(check.at_ns, layout.check(check)) for check in report.checks]
    lines.sort(key=lambda line: line[0])
    heading = style("checks", bold=True)
    if any(check.ping and check.ping.received for check in report.checks):
        heading += "  (round trip times are min/avg/max)"
    return "\n".join([heading, *(text for _, text in lines)])


class _Layout(NamedTuple):
    """Columns of the list of checks: mark, time, title, figures; below them, why."""

    time: int
    title: int
    width: int

    def happening(self, one: Happening) -> str:
        """Return a line of the timeline."""
        return f"{'':6}{format_time(one.at_ns):>{self.time}}  {style(one.what, bold=True)}"

    def command(self, one: CommandRun) -> str:
        """Return a command as a shell shows it, with its output below it."""
        ended = "still runs" if one.status is None else f"status {one.status}"
        ended = "" if one.status == 0 else f"  ({ended})"
        title = style(f"{one.host}$ {one.line}", bold=True)
        lines = [f"{'':6}{format_time(one.at_ns):>{self.time}}  {title}{ended}"]
        indent = " " * (8 + self.time)
        lines += [f"{indent}{text}".rstrip() for text in one.output.splitlines()]
        return "\n".join(lines)

    def check(self, check: CheckResult) -> str:
        """Return a check, with where it stands in the file if it failed."""
        mark, colour = _MARKS[check.held]
        failed = check.held is False
        mark = style(f"{mark:>4}", fg=colour, bold=failed)
        title = style(f"{check.title:<{self.title}}", bold=failed)
        line = f"{mark}  {format_time(check.at_ns):>{self.time}}  {title}  {check.figures}"
        told = check.why
        if failed:
            told = ": ".join(filter(None, (check.where, check.why)))
        why = _indented(told, self.width, 8 + self.time)
        return "\n".join([line, *(text if failed else style(text, dim=True) for text in why)])


def _traffic(report: Report) -> str:
    rows = [("traffic", "", "sent", "bytes", "received", "bytes", "in tunnels")]
    rows += [
        (
            line.name,
            line.kind,
            f"{line.sent:,}",
            f"{line.sent_bytes:,}",
            f"{line.received:,}",
            f"{line.received_bytes:,}",
            "" if line.tunnelled is None else f"{line.tunnelled:,}",
        )
        for line in report.traffic
    ]
    if all(line.tunnelled is None for line in report.traffic):
        rows = [(*row[:-1], "") for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        left = [f"{text:<{width}}" for text, width in zip(row[:2], widths[:2], strict=True)]
        right = [f"{text:>{width}}" for text, width in zip(row[2:], widths[2:], strict=True)]
        lines.append("  ".join(left + right).rstrip())
    lines[0] = style(lines[0], bold=True)
    return "\n".join(lines)


def _drops(drops: tuple[DropLine, ...], width: int) -> str:
    lines = [style("drops", bold=True)]
    for drop in drops:
        places = ", ".join(list(drop.places)[:PLACES])
        if len(drop.places) > PLACES:
            places += f" and {len(drop.places) - PLACES} more"
        lines += _indented(f"{drop.reason}: {places}", width, 8, f"{drop.count:>6,}  ")
    return "\n".join(lines)


def _figures(report: Report, width: int) -> str:
    ledger, isolation = report.ledger, report.isolation
    lines = _labelled(
        "ledger",
        f"{ledger.sent:,} sent + {ledger.copied:,} copied {'=' if ledger.balanced else '≠'} "
        f"{ledger.delivered:,} delivered + {ledger.dropped:,} dropped + "
        f"{ledger.in_flight:,} in flight",
        width,
    )
    if isolation.deliveries:
        foreign = f"{isolation.foreign:,}" if isolation.foreign else "none"
        text = f"{isolation.deliveries:,} deliveries to tenants, {foreign} from another network"
        lines += _labelled("isolation", text, width)
        lines += _red(isolation.examples, width)
    lines += _labelled("loops", _loops(report), width)
    if report.loops.broken:
        lines += _red(report.loops.examples, width)
    if report.connectivity is not None:
        lines += _settled(report.connectivity, width)
    rate = report.hops / report.run_s if report.run_s else 0
    lines += _labelled(
        "time",
        f"{format_time(report.virtual_ns)} of virtual time in {report.wall_s:.2f} s: "
        f"{report.wall_s - report.run_s:.2f} s to start, {report.run_s:.2f} s to run "
        f"{report.hops:,} packet-hops ({rate:,.0f} a second)",
        width,
    )
    lines += _labelled("digest", report.digest, width)
    return "\n".join(lines)


def _red(sentences: tuple[str, ...], width: int) -> list[str]:
    return [
        style(line, fg="red")
        for sentence in sentences
        for line in _indented(sentence, width, _LABEL)
    ]


def _loops(report: Report) -> str:
    loops = report.loops
    if not loops.count:
        return "none"
    packets = f"{loops.count:,} {'packet' if loops.count == 1 else 'packets'}"
    return f"{packets}, which the file allows" if loops.allowed else f"{packets} ran in circles"


def _settled(settled: Settled, width: int) -> list[str]:
    """Return what became of connectivity after the last fault."""
    when = f"{format_time(settled.settle_ns)} after the last fault"
    reached = settled.reached
    if reached is None:
        return _labelled("reachable", f"the run ended before it was asked, {when}", width)
    lines = _labelled("reachable", f"{reached.figures}, {when}", width)
    more = len(reached.wrong) - EXAMPLES
    told = reached.wrong[:EXAMPLES] + ((f"and {more:,} more",) if more > 0 else ())
    return lines + _red(told, width)


def _verdict(report: Report) -> str:
    """Return the last line: what the exit status says, and where to look."""
    held = sum(check.held is True for check in report.checks)
    if not report.checks:
        verdict = "no checks in the file"
    elif held == len(report.checks):
        verdict = f"all {held} checks held" if held > 1 else "1 check held"
    else:
        verdict = f"{held} of {len(report.checks)} checks held"
    failed = [check.where for check in report.checks if check.held is False]
    parts = [verdict, *([f"failed: {', '.join(failed)}"] if failed else [])]
    if report.isolation.foreign:
        parts.append("isolation is broken")
    if report.loops.broken:
        parts.append("packets ran in a loop")
    if report.connectivity is not None and report.connectivity.held is False:
        parts.append("the network did not recover from its faults")
    if not report.ledger.balanced:
        parts.append("frames got lost without a reason, which is a bug of sdnvirt")
    if report.interrupted:
        parts.append("the run was interrupted")
    good = report.held and not report.interrupted
    return style("; ".join(parts), fg="green" if good else "red", bold=True)
