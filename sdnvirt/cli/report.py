"""The report of a run as text for a terminal."""

from __future__ import annotations

from click import style

from sdnvirt.network.checks import CheckResult
from sdnvirt.network.report import Report
from sdnvirt.units import format_time

_MARKS = {True: ("ok", "green"), False: ("FAIL", "red"), None: ("?", "yellow")}


def report_text(report: Report) -> str:
    """Return a report as text; colours are left out by whoever prints to no terminal."""
    sections = [_head(report), _events(report)]
    if report.traffic:
        sections.append(_traffic(report))
    if report.drops:
        sections.append(_drops(report))
    sections.append(_figures(report))
    return "\n\n".join(sections)


def _head(report: Report) -> str:
    built = ", ".join(f"{count} {_plural(kind, count)}" for kind, count in report.built.items())
    lines = [style(report.name, bold=True) + (f": {report.description}" * bool(report.description))]
    lines.append(f"built      {built}; seed {report.seed}")
    if report.controller:
        lines.append(f"controller {report.controller}")
    return "\n".join(lines)


def _plural(kind: str, count: int) -> str:
    if count != 1:
        return kind
    return kind.removesuffix("es") if kind == "switches" else kind.removesuffix("s")


def _events(report: Report) -> str:
    """Return checks and timeline in order of time."""
    lines = [(at, f"      {format_time(at):>8}  {style(text, bold=True)}") for at, text in
             report.timeline]  # fmt: skip
    width = max((len(check.title) for check in report.checks), default=0)
    lines += [(check.at_ns, _check(check, width)) for check in report.checks]
    lines.sort(key=lambda line: line[0])
    return "\n".join([style("checks", bold=True), *(text for _, text in lines)])


def _check(check: CheckResult, width: int) -> str:
    mark, colour = _MARKS[check.held]
    line = f"{style(f'{mark:>4}', fg=colour)}  {format_time(check.at_ns):>8}  "
    line += f"{check.title:<{width}}  {check.figures}"
    if check.held is not True:
        line += f"  ({check.where})"
    if check.why:
        line += f"\n{'':16}{style(check.why, dim=True)}"
    return line


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
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        left = [f"{text:<{width}}" for text, width in zip(row[:2], widths[:2], strict=True)]
        right = [f"{text:>{width}}" for text, width in zip(row[2:], widths[2:], strict=True)]
        lines.append("  ".join(left + right).rstrip())
    lines[0] = style(lines[0], bold=True)
    return "\n".join(lines)


def _drops(report: Report) -> str:
    lines = [style("drops", bold=True)]
    lines += [f"{drop.count:>6}  {drop.reason}: {', '.join(drop.places)}" for drop in report.drops]
    return "\n".join(lines)


def _figures(report: Report) -> str:
    strangers, examples = report.isolation
    lines = [
        f"ledger     {report.sent:,} sent + {report.copied:,} copied = {report.delivered:,} "
        f"delivered + {report.dropped:,} dropped + {report.in_flight:,} in flight",
    ]
    if report.deliveries:
        found = f"{strangers:,} of them from outside their network" if strangers else "none foreign"
        lines.append(f"isolation  {report.deliveries:,} deliveries to tenants, {found}")
        lines += [f"           {style(example, fg='red')}" for example in examples]
    rate = report.hops / report.run_s if report.run_s else 0
    lines.append(
        f"time       {format_time(report.virtual_ns)} virtual in {report.wall_s:.2f} s, "
        f"{report.run_s:.2f} s of them running; {report.hops:,} packet-hops, {rate:,.0f} a second"
    )
    lines.append(f"digest     {report.digest}")
    held = sum(check.held is True for check in report.checks)
    verdict = f"{held} of {len(report.checks)} checks held"
    if report.interrupted:
        verdict += "; interrupted"
    lines.append(style(verdict, fg="green" if report.held else "red", bold=True))
    return "\n".join(lines)
