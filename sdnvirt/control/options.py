"""How an app learns the topology file: an option, from a configuration file, as is Ryu's way.

An app registers the option and reads it, embedded or run by ``ryu-manager --config-file``::

    CONF.register_opts([cfg.StrOpt("topology", help="topology file")], group="sdnvirt")
    ...
    topology.load(self.CONF.sdnvirt.topology)

and the file says::

    [sdnvirt]
    topology = /home/me/two-tenants.yaml
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from difflib import get_close_matches
from io import StringIO
from tempfile import NamedTemporaryFile
from typing import Any

from sdnvirt.errors import ControllerError


@contextmanager
def config_file(topology_path: str | None) -> Iterator[str]:
    """Provide the name of a configuration file that says where the topology is, for a while."""
    with NamedTemporaryFile("w", prefix="sdnvirt-", suffix=".conf", encoding="utf-8") as file:
        if topology_path is not None:
            file.write(f"[sdnvirt]\ntopology = {_escaped(os.path.abspath(topology_path))}\n")
        file.flush()
        yield file.name


def parse(conf: Any, own: Sequence[str], given: Sequence[str]) -> None:
    """Set Ryu's options.

    Args:
        conf: Ryu's ``CONF``.
        own: arguments of a command line.
        given: more arguments, which are somebody else's.

    Raises:
        ControllerError: Ryu does not have the options that were given.
    """
    from oslo_config.cfg import Error

    told = StringIO()
    try:
        with redirect_stderr(told), redirect_stdout(told):
            conf([*own, *given], project="ryu", prog="sdnvirt")
    except SystemExit as error:  # argparse's way to refuse, and to have printed a help
        why = told.getvalue().strip().rpartition("error: ")[2] if error.code else "not for a run"
        raise _refusal(given, why, conf) from error
    except Error as error:
        raise _refusal(given, " ".join(str(error).split()), conf) from error


def _refusal(given: Sequence[str], why: str, conf: Any) -> ControllerError:
    """Return the error that says why options were not taken, and what one may have meant."""
    wrong = why.rpartition("unrecognized arguments: ")[2].split("=")[0].split()[:1]
    known = [f"--{option['opt'].name}" for option in conf._cli_opts]
    near = get_close_matches(wrong[0], known, n=1) if wrong and wrong[0].startswith("--") else []
    hint = f"; did you mean {near[0]}?" if near else ""
    return ControllerError(f"controller options {' '.join(given)}: {why}{hint}")


def _escaped(path: str) -> str:
    if path != path.strip() or "\n" in path:
        raise ControllerError(f"topology {path!r}: the path has spaces at an end, or line breaks")
    return path.replace("$", "$$")  # oslo.config replaces $name in values


@contextmanager
def registered_options(conf: Any) -> Iterator[None]:
    """Forget, at the end, the options that were registered meanwhile and all values.

    Two apps that run one after the other may define the same option differently.
    """
    options, cli = dict(conf._opts), deque(conf._cli_opts)
    groups = {name: (dict(group._opts), group) for name, group in conf._groups.items()}
    try:
        yield
    finally:
        conf.clear()
        conf._opts, conf._cli_opts = options, cli
        conf._groups = {name: group for name, (_, group) in groups.items()}
        for of_group, group in groups.values():
            group._opts = of_group
