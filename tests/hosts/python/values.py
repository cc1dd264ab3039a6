"""Component-model values as plain Python, in both directions.

The package `wasmtime` leaves a variant unwrapped whenever the Python types of its cases differ, and
wraps it in `Variant` otherwise. This module hides that rule, so that a host reads like the WIT:

| WIT                        | Python                                      |
|----------------------------|---------------------------------------------|
| record                     | dict; a missing field is none               |
| variant                    | (case, payload), or (case, None)            |
| enum, string, numbers      | str, str, int                               |
| option                     | the value, or None                          |
| result                     | Ok(value) or Err(value)                     |
| list<u8>, list, tuple      | bytes, list, tuple                          |
| resource                   | the Python object itself                    |
"""

from dataclasses import dataclass
from typing import Any

from wasmtime.component import (
    BorrowType,
    ListType,
    OptionType,
    OwnType,
    Record,
    RecordType,
    ResourceHost,
    ResultType,
    TupleType,
    Variant,
    VariantType,
)


@dataclass
class Ok:
    """The good case of a result."""

    value: Any = None


@dataclass
class Err:
    """The other case of a result."""

    value: Any = None


class Resources:
    """The Python objects behind the handles that a guest holds."""

    def __init__(self):
        self._objects = {}
        self._last = 0

    def lend(self, thing):
        self._last += 1
        self._objects[self._last] = thing
        return ResourceHost.own(self._last, thing.resource_id)

    def find(self, store, handle):
        host = handle.to_host(store)
        # Who passes an owned handle gives it up.
        return self._objects.pop(host.rep) if host.owned else self._objects[host.rep]

    def drop(self, _store, rep):
        self._objects.pop(rep, None)

    def clear(self):
        self._objects.clear()


def encode(kind, value, resources):
    """From plain Python to what the package `wasmtime` takes for the type `kind`."""
    if isinstance(kind, RecordType):
        record = Record()
        for name, field in kind.fields:
            setattr(record, name, encode(field, value.get(name), resources))
        return record
    if isinstance(kind, (VariantType, OptionType, ResultType)):
        case, payload = _case_of(kind, value)
        of = _cases(kind)[case]
        payload = None if of is None else encode(of, payload, resources)
        return Variant(case, payload) if _is_wrapped(kind) else payload
    if isinstance(kind, ListType):
        return value if isinstance(value, bytes) else [encode(kind.element, item, resources) for item in value]
    if isinstance(kind, TupleType):
        return tuple(encode(of, item, resources) for of, item in zip(kind.elements, value, strict=True))
    if isinstance(kind, (OwnType, BorrowType)):
        return resources.lend(value)
    return value


def decode(store, kind, value, resources):
    """The inverse of `encode`."""
    if isinstance(kind, RecordType):
        return {name: decode(store, field, getattr(value, name), resources) for name, field in kind.fields}
    if isinstance(kind, (VariantType, OptionType, ResultType)):
        cases = _cases(kind)
        if _is_wrapped(kind):
            case, value = value.tag, value.payload
        else:
            case = next(case for case, of in cases.items() if _fits(of, value))
        value = None if cases[case] is None else decode(store, cases[case], value, resources)
        if isinstance(kind, OptionType):
            return value
        if isinstance(kind, ResultType):
            return Ok(value) if case == "ok" else Err(value)
        return case, value
    if isinstance(kind, ListType):
        return value if isinstance(value, bytes) else [decode(store, kind.element, item, resources) for item in value]
    if isinstance(kind, TupleType):
        return tuple(decode(store, of, item, resources) for of, item in zip(kind.elements, value, strict=True))
    if isinstance(kind, (OwnType, BorrowType)):
        return resources.find(store, value)
    return value


def _cases(kind):
    if isinstance(kind, OptionType):
        return {"none": None, "some": kind.payload}
    if isinstance(kind, ResultType):
        return {"ok": kind.ok, "err": kind.err}
    return dict(kind.cases)


def _case_of(kind, value):
    if isinstance(kind, OptionType):
        return ("none", None) if value is None else ("some", value)
    if isinstance(kind, ResultType):
        return ("ok" if isinstance(value, Ok) else "err"), value.value
    return value


def _fits(kind, value):
    return value is None if kind is None else isinstance(value, tuple(_classes(kind)))


def _classes(kind):
    """The Python types of a case's payload; a case without one may be anything, even None."""
    classes = set()
    if kind is None:
        classes.add(object)
    else:
        kind.add_classes(classes)
    return classes


def _is_wrapped(kind):
    seen = set()
    for of in _cases(kind).values():
        classes = _classes(of)
        if classes & seen:
            return True
        seen |= classes
    return False
