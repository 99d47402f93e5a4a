"""The way in: a file, a text or a dict becomes a topology.

The parser and the models are imported when they are first used, because ``sdnvirt --help`` and
controller apps that only name the types must not wait for them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from sdnvirt.engine.scheduler import relaxed_collector
from sdnvirt.errors import TopologyError
from sdnvirt.topology.resolved import MAX_SEED, Topology


def load(path: str | os.PathLike[str], seed: int | None = None) -> Topology:
    """Return the topology that a YAML file describes.

    Args:
        path: the file; messages name it as it is given here.
        seed: used in place of the file's, 0 or more.

    Raises:
        TopologyError: the file cannot be read, or is wrong; all that is wrong at once.
    """
    from sdnvirt.topology.document import MAX_BYTES

    file = os.fspath(path)
    try:
        with open(file, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        problem = f"{file}: found no readable file ({reason}), expected a topology file"
        raise TopologyError([problem]) from None
    return _from_yaml(data, file, seed)


def loads(text: str, path: str = "topology.yaml", seed: int | None = None) -> Topology:
    """Return the topology that a YAML text describes.

    Args:
        text: what a topology file holds.
        path: its name in messages; files that it names are looked for from the folder of this.
        seed: used in place of the text's, 0 or more.

    Raises:
        TopologyError: the text is wrong; all that is wrong at once.
    """
    return _from_yaml(text.encode("utf-8", "surrogatepass"), path, seed)


def from_dict(data: Mapping[str, Any], path: str = "topology", seed: int | None = None) -> Topology:
    """Return the topology that a dict with the keys and values of a topology file describes.

    Args:
        data: what the file would hold: dicts, lists, strings, integers and booleans.
        path: its name in messages; files that it names are looked for from the folder of this.
        seed: used in place of the dict's, 0 or more.

    Raises:
        TopologyError: the dict is wrong; all that is wrong at once.
    """
    from sdnvirt.topology.problems import Problems
    from sdnvirt.topology.resolve import resolve
    from sdnvirt.topology.validation import validate

    problems = Problems(path)
    with relaxed_collector():
        return resolve(validate(data, problems), problems, _checked(seed, path))


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of topology files, for editors and other tools."""
    from sdnvirt.topology.spec import TopologySpec

    schema = TopologySpec.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _from_yaml(data: bytes, file: str, seed: int | None) -> Topology:
    from sdnvirt.topology.document import parse
    from sdnvirt.topology.problems import Problems
    from sdnvirt.topology.resolve import resolve
    from sdnvirt.topology.validation import validate

    with relaxed_collector():
        document = parse(data, file)
        problems = Problems(file, document)
        return resolve(validate(document.plain(), problems), problems, _checked(seed, file))


def _checked(seed: int | None, file: str) -> int | None:
    """Return a seed that is used in place of a file's, if it could be a file's."""
    if seed is None or (isinstance(seed, int) and 0 <= seed <= MAX_SEED and seed is not True):
        return seed
    raise TopologyError([f"{file}: found the seed {seed!r}, expected 0 to {MAX_SEED}"])
