"""What came out: a tally for people, JUnit for machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from cases import Case


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of one case.

    Attributes:
        case: the case.
        fault: what the tester found wrong; empty if nothing.
        waiver: why the case may fail; empty if it may not.
    """

    case: Case
    fault: str
    waiver: str

    @property
    def passed(self) -> bool:
        """Whether the tester found nothing wrong."""
        return not self.fault

    @property
    def expected(self) -> bool:
        """Whether the case came out as it should: waived ones fail, all others pass."""
        return self.passed is not bool(self.waiver)

    @property
    def complaint(self) -> str:
        """What to say of a case that did not come out as it should."""
        return self.fault or f"passes although it is waived ({self.waiver})"


def tally(outcomes: Sequence[Outcome]) -> list[str]:
    """Return a line for each category, then the one with the sum, as Ryu's tester counts."""
    lines = [
        _count(category, [outcome for outcome in outcomes if outcome.case.category == category])
        for category in dict.fromkeys(outcome.case.category for outcome in outcomes)
    ]
    waived = sum(bool(outcome.waiver) for outcome in outcomes)
    lines.append(f"waived {waived}, not as expected {sum(not o.expected for o in outcomes)}")
    passed = sum(outcome.passed for outcome in outcomes)
    lines.append(f"OK {passed} ERROR {len(outcomes) - passed}")
    return lines


def _count(label: str, outcomes: Sequence[Outcome]) -> str:
    return f"{label:8}{sum(outcome.passed for outcome in outcomes):4} of {len(outcomes)}"


def complaints(outcomes: Iterable[Outcome]) -> list[str]:
    """Return a line for each case that did not come out as it should."""
    return [f"{o.case.name}: {o.complaint}" for o in outcomes if not o.expected]


def write_junit(outcomes: Iterable[Outcome], path: Path) -> None:
    """Write JUnit XML: a suite for each file of cases; a waived case that fails is skipped."""
    root = ElementTree.Element("testsuites")
    files: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        files.setdefault(outcome.case.file, []).append(outcome)
    for file, members in files.items():
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=file,
            tests=str(len(members)),
            failures=str(sum(not member.expected for member in members)),
            skipped=str(sum(member.expected and not member.passed for member in members)),
        )
        for member in members:
            node = ElementTree.SubElement(
                suite, "testcase", classname=file, name=member.case.description
            )
            if not member.expected:
                ElementTree.SubElement(node, "failure", message=member.complaint)
            elif member.waiver:
                ElementTree.SubElement(node, "skipped", message=member.waiver)
    ElementTree.indent(root)
    ElementTree.ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)
