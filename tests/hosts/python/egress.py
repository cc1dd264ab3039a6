"""The way out: where the component's requests may go, and with which credential. Its own manifest, enforced outside of it.

The manifest is the `egress` array of the component's catalog. What it may say, and what it means, is told in
docs/guide/embed.md; tests/fixtures/egress.json is the table that this file, egress.js of the host for Node and the host in
Rust are all held to.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

# Where Google serves functions, and functions are anybody's code.
FUNCTIONS = (".run.app", ".cloudfunctions.net")
TOKEN_ENDPOINT = "oauth2.googleapis.com"

LABEL = re.compile(r"(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
# What a resolver takes for the end of an IPv4 address.
NUMBER = re.compile(r"[0-9]*|0x[0-9a-f]*", re.ASCII)
JWT = re.compile(rb"Bearer ey[\w-]*\.[\w-]+\.[\w-]+", re.ASCII)
BEARER = re.compile(rb"(?<![a-z0-9])bearer[ \t+%]|ya29\.", re.IGNORECASE)

# RFC 9110: methods and the names of headers are tokens (5.6.2), and a value holds no control character but the tab (5.5). Where a
# line could be broken, what is judged would not be what is sent.
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
# What follows the host: RFC 9112, 3.2.1. An absolute URL in its place would name another host.
TARGET = re.compile(r"/[!\"$-~]*", re.ASCII)

# Headers that frame a message, or are about one hop of its way (RFC 9110, 7.6.1, 7.8 and 10.1): this host's to send.
FRAMING = {
    "connection", "expect", "http2-settings", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
}  # fmt: skip
# Those of which this host has its own word; a guest may say the same.
OF_THE_HOST = {"content-length", "host"}
LENGTH = re.compile(rb"[0-9]{1,19}")
# Headers that carry a credential, or tell somebody on the way who is calling.
CREDENTIALS = re.compile(
    r"authorization|x-serverless-authorization|cookie2?|proxy-authorization|x-goog-api-key|x-authorization"
    r"|x-forwarded-authorization|x-forwarded-access-token|x-original-authorization"
    r"|x-goog-(iap|iam|authenticated-user)-.*"
)
# By these, Google's APIs take a token from the query: https://cloud.google.com/apis/docs/system-parameters
PARAMETERS = {"access_token", "oauth_token", "bearer_token", "id_token"}


class Denied(Exception):
    """A request that may not be sent; the text holds no credential."""


@dataclass(frozen=True)
class Rule:
    """One entry of a manifest: a host, or a suffix with so many labels before it, and what may be shown there."""

    host: str | None
    suffix: str | None
    labels: range
    carries: frozenset

    def matches(self, host):
        if self.host:
            return host == self.host
        return host.endswith(self.suffix) and len(host.removesuffix(self.suffix).split(".")) in self.labels


class Policy:
    """The requests that a manifest allows; and those that the operator of this host allows within it, if `within` is given."""

    def __init__(self, manifest, within=None):
        if not isinstance(manifest, list):
            raise ValueError("the egress manifest is not a list")
        self.rules = [_rule(index, entry) for index, entry in enumerate(manifest)]
        if len({rule.host or rule.suffix for rule in self.rules}) != len(self.rules):
            raise ValueError("the egress manifest names a target twice")
        self.within = None if within is None else Policy(within)

    def check(self, method, scheme, authority, path, headers):
        """Returns the host if the request may be sent, and raises `Denied` otherwise.

        Headers are pairs of a name and bytes. Nothing has been resolved yet, nothing sent.
        """
        # A tunnel, to whoever writes methods in capitals before sending them.
        if method.upper() == "CONNECT":
            raise Denied("the method CONNECT is not allowed")
        if not TOKEN.fullmatch(method):
            raise Denied("the method is not a token")
        host = _host(scheme, authority)
        if not TARGET.fullmatch(path):
            raise Denied("the path does not begin with /, or holds what belongs into no path")
        headers = [(name.lower(), value) for name, value in headers]
        rule = next((rule for rule in self.rules if rule.matches(host)), None)
        if rule is None:
            raise Denied(f"host {host} is not in the egress manifest")
        is_function = _is_function(host)
        _check_headers(headers, host, is_function)
        if not is_function:
            _check_query(path)
        credential = _presented(headers)
        if not credential & rule.carries:
            what = "a request without a credential" if "none" in credential else f"an {next(iter(credential))}"
            raise Denied(f"{what} may not be sent to {host}")
        if self.within:
            self.within.check(method, scheme, authority, path, headers)
        return host


def _rule(index, entry):
    def need(is_so, problem):
        if not is_so:
            raise ValueError(f"egress manifest, rule {index}: {problem}")

    need(isinstance(entry, dict) and entry.keys() <= {"host", "host-suffix", "labels", "carries"}, "unknown form")
    host, suffix, labels = entry.get("host"), entry.get("host-suffix"), entry.get("labels")
    carries = frozenset(entry.get("carries") or [])
    need(carries and carries <= {"access-token", "id-token", "assertion", "none"}, "carries is not known")
    need(not ("assertion" in carries and carries & {"access-token", "id-token"}), "assertions go where no token goes")
    need((host is None) != (suffix is None) and (suffix is None) == (labels is None), "either host, or suffix and labels")
    if suffix is not None:
        need(suffix in FUNCTIONS, f"the suffix is none of {', '.join(FUNCTIONS)}")
        need(labels in ([1, 1], [1, 2], [2, 2]), "labels are not within [1, 2]")
    else:
        need(isinstance(host, str) and _is_name(host), "not a host name")
        need(host != TOKEN_ENDPOINT or carries == {"assertion"}, f"{host} takes assertions alone")
    if suffix is not None or _is_function(host):
        need(carries <= {"id-token", "none"}, "a function is anybody's code")
    return Rule(host, suffix, range(labels[0], labels[1] + 1) if labels else range(0), carries)


def _host(scheme, authority):
    """The host, if it is spelt in the one accepted way: then the name that is judged is the name that is resolved."""
    if scheme != "https":
        raise Denied("only https is allowed")
    authority = authority or ""
    # Not repeated: what stands before the @ may be a password.
    if "@" in authority:
        raise Denied("a user name or password in a URL is not allowed")
    host = authority.removesuffix(":443")
    if not _is_name(host):
        raise Denied("not a host name in lower case, on port 443")
    return host


def _is_name(host):
    labels = host.split(".")
    return (
        len(host) <= 253
        and len(labels) > 1
        and all(LABEL.fullmatch(label) for label in labels)
        and not NUMBER.fullmatch(labels[-1])
    )


def _is_function(host):
    return any(host.endswith(suffix) or host == suffix[1:] for suffix in FUNCTIONS)


def _check_headers(headers, host, is_function):
    for name, value in headers:
        # Neither is repeated: whoever breaks a line may have put a credential there.
        if not TOKEN.fullmatch(name):
            raise Denied("the name of a header is not a token")
        if not VALUE.fullmatch(value):
            raise Denied(f"the header {name} holds a control character")
        if name == "authorization" or (name == "x-serverless-authorization" and is_function):
            continue
        # Some servers read `_` as `-`.
        spelled = name.replace("_", "-")
        if CREDENTIALS.fullmatch(spelled) or spelled in FRAMING or (spelled != name and spelled in OF_THE_HOST):
            raise Denied(f"the header {name} is not allowed")
        if BEARER.search(value):
            raise Denied(f"the header {name} holds a token")
    lengths = [value for name, value in headers if name == "content-length"]
    if len(lengths) > 1 or not all(LENGTH.fullmatch(value) for value in lengths):
        raise Denied("the header content-length is not one number")
    hosts = [value.removesuffix(b":443") for name, value in headers if name == "host"]
    if hosts not in ([], [host.encode()]):
        raise Denied(f"the header host differs from {host}")


def _check_query(path):
    query = path.partition("?")[2]
    for name, _ in parse_qsl(query, keep_blank_values=True):
        if name.lower() in PARAMETERS:
            raise Denied(f"the parameter {name.lower()} of the query is not allowed")


def _presented(headers):
    """The ways in which a rule may speak of the credential that a request shows, told by its shape alone."""
    own, token = _only(headers, "authorization"), _only(headers, "x-serverless-authorization")
    # Beside a token of its own for Google's front end, `authorization` is the caller's: anything but a token of Google's.
    if token is not None and own is not None and b"ya29." in own:
        return {"access-token"}
    token = own if token is None else token
    if token is None:
        return {"none", "assertion"}
    # Google's ID tokens are JWTs. What has another shape is held to the strictest rule.
    return {"id-token"} if JWT.fullmatch(token) else {"access-token"}


def _only(headers, name):
    values = [value for key, value in headers if key == name]
    if len(values) > 1:
        raise Denied(f"more than one header {name}")
    return values[0] if values else None
