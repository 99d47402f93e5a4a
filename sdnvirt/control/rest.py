"""REST without sockets: one request to the WSGI application of an embedded controller.

Ryu's REST apps register with ``ryu.app.wsgi``, which would listen on a TCP port. Here a request is
a greenlet of the controller's own hub: it takes the virtual time that the app takes to answer, and
none if the app need not wait for a switch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sdnvirt.control.stock_ryu import wsgi
from sdnvirt.errors import ControllerError
from sdnvirt.units import NS_PER_S

ANSWER_LIMIT_NS: Final = 60 * NS_PER_S
"""Virtual time in which a request must be answered; Ryu's apps wait 1 s for each switch."""


class RestAnswer(NamedTuple):
    """What an app answers.

    Attributes:
        status: the HTTP status code.
        body: the value that the JSON says, or text that is none.
    """

    status: int
    body: Any


class Exchange:
    """One request and its answer.

    Args:
        contexts: the contexts of the running apps, one of which is the WSGI application.
        method: the HTTP method.
        path: the path, with its query.
        body: a value that is sent as JSON; text and bytes are sent as they are.

    Attributes:
        answer: what the app answered, or None so far.
        error: what the app raised instead, or None.

    Raises:
        ControllerError: no app offers REST.
    """

    def __init__(self, contexts: Mapping[str, Any], method: str, path: str, body: Any) -> None:
        found = [one for one in contexts.values() if isinstance(one, wsgi.WSGIApplication)]
        if not found:
            raise ControllerError(f"{method} {path}: no controller app offers REST")
        data = body if isinstance(body, str | bytes) else b"" if body is None else json.dumps(body)
        self._application = found[0]
        self._request = wsgi.Request.blank(path, method=method)
        self._request.body = data.encode() if isinstance(data, str) else data
        self.answer: RestAnswer | None = None
        self.error: Exception | None = None

    def run(self) -> None:
        """Let the app answer; this runs in a greenlet of the controller."""
        try:
            response = self._request.get_response(self._application)
            self.answer = RestAnswer(response.status_int, _value(response.text))
        except Exception as error:
            self.error = error


def _value(text: str) -> Any:
    # By the text, not by its declared type: Ryu's apps declare JSON as text, and the reverse.
    try:
        return json.loads(text)
    except ValueError:
        return text
