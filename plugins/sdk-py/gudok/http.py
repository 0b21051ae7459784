"""Asking the agency's back end over HTTP, with the patience of a call. Needs the capability "fetch"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, ContextManager, TypedDict, Unpack

from gudok._call import Call
from gudok._errors import CallError, host_call
from gudok._fields import fields_of
from gudok._prompt import Sayable
from wit_world.imports import fetch as wit
from wit_world.imports import secrets
from wit_world.imports.fetch import Method as Method
from wit_world.imports.types import Field

#: How long a back end is waited for where the script does not say: a caller takes silence for a dropped call soon.
TIMEOUT_DEFAULT_MS = 5_000


class How(TypedDict, total=False):
    """How a request is sent."""

    headers: Mapping[str, str]
    #: the secret of this name in the Authorization header; the script never sees it. Capability "secrets"
    secret: str
    #: for everything, from the first packet to the last byte
    timeout_ms: int
    #: lets the back end see that two requests are one
    idempotency_key: str


class Response:
    """What the back end answered."""

    def __init__(self, raw: wit.Response) -> None:
        self.status: int = raw.status
        self.headers: list[Field] = raw.headers
        self.body: bytes = bytes(raw.body)

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def header(self, name: str) -> str | None:
        """A header's value, whatever the case of its name."""
        return next((field.value for field in self.headers if field.name.lower() == name.lower()), None)

    def success(self) -> Response:
        """This response; any status but 2xx is the error ``"unavailable"``."""
        if not self.ok:
            raise CallError("unavailable", f"the back end answered with status {self.status}")
        return self

    def found(self) -> Response | None:
        """This response; None where the status is 404, and the error ``"unavailable"`` for any other but 2xx."""
        return None if self.status == 404 else self.success()

    def text(self) -> str:
        """The body as text."""
        try:
            return self.body.decode()
        except UnicodeDecodeError:
            raise CallError("unavailable", "the back end answered what is not UTF-8") from None

    def json(self) -> Any:
        """The body as JSON: look at it before you believe it. The error does not repeat the text: it may be personal."""
        try:
            return json.loads(self.text())
        except ValueError:
            raise CallError("unavailable", f"the back end answered what is not JSON ({len(self.body)} bytes)") from None


class Pending:
    """A request on its way, while the script talks. Leaving a ``with`` block gives it up."""

    def __init__(self, raw: wit.Pending) -> None:
        self.raw = raw

    def wait(self, timeout_ms: int) -> Response | None:
        """The response; None when the time is up, and the request goes on."""
        response = host_call(self.raw.wait)(timeout_ms)
        return None if response is None else Response(response)

    def __enter__(self) -> Pending:
        return self

    def __exit__(self, *thrown: object) -> None:
        self.raw.__exit__(None, None, None)


class Request:
    """A request before it is sent."""

    def __init__(self, method: Method, url: str, *, json_body: Any = None, body: bytes = b"", **how: Unpack[How]) -> None:
        headers = dict(how.get("headers", {}))
        if json_body is not None:
            headers = {"content-type": "application/json", **headers}
            body = json.dumps(json_body, ensure_ascii=False).encode()
        self.timeout_ms = how.get("timeout_ms", TIMEOUT_DEFAULT_MS)
        self.secret = how.get("secret")
        self.raw = wit.Request(method, url, fields_of(headers), body, self.timeout_ms, how.get("idempotency_key"))

    def send(self) -> Response:
        """Sends it and waits."""
        with _auth(self.secret) as auth:
            return Response(host_call(wit.send)(self.raw, auth))

    def start(self) -> Pending:
        """Sends it, and lets the script go on."""
        with _auth(self.secret) as auth:
            return Pending(host_call(wit.start)(self.raw, auth))

    def send_while(self, call: Call, *what: Sayable) -> Response:
        """Sends it, says something meanwhile, and waits for what is left."""
        with self.start() as pending:
            call.say(*what)
            response = pending.wait(self.timeout_ms)
        if response is None:
            raise CallError("timeout")
        return response


def get(url: str, **how: Unpack[How]) -> Response:
    """GET."""
    return Request(Method.GET, url, **how).send()


def post(url: str, json_body: Any, **how: Unpack[How]) -> Response:
    """POST of a value as JSON."""
    return Request(Method.POST, url, json_body=json_body, **how).send()


def put(url: str, json_body: Any, **how: Unpack[How]) -> Response:
    """PUT of a value as JSON."""
    return Request(Method.PUT, url, json_body=json_body, **how).send()


def _auth(secret: str | None) -> ContextManager[secrets.Secret | None]:
    if secret is None:
        return nullcontext()
    # A component without the capability has the interface's type only, for fetch to name it.
    if not hasattr(secrets, "secret_named"):
        raise CallError("denied", f'secrets: manifest.toml declares no capability "secrets" for "{secret}"')
    return host_call(secrets.secret_named)(secret)
