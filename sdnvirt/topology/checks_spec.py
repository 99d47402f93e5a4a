"""The file form of what must hold: the checks of a run, and the invariants of every run."""

from __future__ import annotations

from typing import Annotated, Any, Final, Self

from pydantic import BeforeValidator, Field, model_validator

from sdnvirt.topology import fields as f
from sdnvirt.topology.family_fields import Family
from sdnvirt.topology.model import Model, one_of, written


class PingSpec(Model):
    """ICMP echo requests."""

    source: f.Name = Field(alias="from", description="The VM or host that pings.")
    target: f.Text = Field(
        alias="to",
        description="A VM, host or network function, or an IPv4 or IPv6 address. A node is only "
        "reached if it answers itself: another tenant's VM with the same address does not count.",
    )
    family: Family | None = Field(
        None,
        description="Version of IP by which a node is pinged, at the first address of that version "
        "that the file gives it. Default: 4.",
    )
    count: f.Count = Field(3, description="Number of requests.")
    interval: f.PositiveTime = written("200ms", "Time between requests.")
    size: f.PingSize = Field(56, description="Bytes of echo data.")
    timeout: f.PositiveTime = written("1s", "How long to wait for each answer.")


class LeaseSpec(Model):
    """The VM has obtained its address by DHCP."""

    vm: f.Name = Field(description="The VM.")


class ConnectivitySpec(Model):
    """All nodes reach each other that links which are up connect, and no others do.

    Asked are the pairs of hosts in one broadcast domain and subnet, by each version of IP of which
    the file gives both an address, and of VMs in one tenant network.
    """

    among: list[f.Names] | None = Field(
        None, description="Hosts and VMs, by names and ranges. Default: all."
    )
    timeout: f.PositiveTime = written("1s", "How long to wait for each answer.")


class CheckSpec(Model):
    """What must hold for the run to succeed: a ping, a lease, or connectivity."""

    ping: PingSpec | None = Field(None, description="Send echo requests.")
    lease: LeaseSpec | None = Field(None, description="Look for a DHCP lease.")
    connectivity: ConnectivitySpec | None = Field(
        None, description="Compare who reaches whom with the network as it is, after a repair say."
    )
    at: f.Time = written("2s", "Virtual time of the check.")
    expect: f.Expectation | None = Field(
        None, description="What a ping must be. Default: reachable."
    )
    max_loss: f.Probability | None = Field(
        None, description="Share of requests that may stay unanswered. Default: 0%."
    )
    via: f.Name | None = Field(None, description="A node that every request must cross.")

    @model_validator(mode="after")
    def _one_check(self) -> Self:
        one_of(self, ("ping", "lease", "connectivity"))
        return self


SETTLE: Final = "10s"
"""Time that a network has after the last fault by default: a switch whose controller was away dials
it after 8 s at most, and what follows (flow entries, leases, neighbours) takes the rest."""


class SettlingSpec(ConnectivitySpec):
    """Who must reach whom after the last fault: nodes that links connect do, and no others.

    It is asked as the check ``connectivity`` asks, some time after the last entry of the timeline
    that breaks, changes or repairs something. Of very many pairs, a sample is asked.
    """

    settle: f.Time = written(SETTLE, "How long the network has to recover.")


def _settling(value: Any) -> Any:
    if isinstance(value, bool):
        return {} if value else None
    if isinstance(value, dict | SettlingSpec):
        return value
    raise f.wrong("true, false or a mapping")


class InvariantsSpec(Model):
    """What must hold in every run, whatever it checks; a file may except itself from these two.

    That no frame gets lost without a reason, and that no tenant sees another's frames, holds
    without exception.
    """

    connectivity: Annotated[
        SettlingSpec | None, BeforeValidator(_settling, json_schema_input_type=bool | SettlingSpec)
    ] = written(
        True,
        "Whether, after the faults of a timeline, nodes reach each other where links connect "
        "them. Say false, or name some nodes, where apps keep others apart.",
    )
    loops: f.Flag = Field(True, description="Whether a packet that runs in a loop fails the run.")
