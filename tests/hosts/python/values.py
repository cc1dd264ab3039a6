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

import difflib
from dataclasses import dataclass, field
from typing import Any

from wasmtime.component import (
    BorrowType,
    EnumType,
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
    """The good case of a result. Not to be printed: from the store, it is a secret."""

    value: Any = field(default=None, repr=False)


@dataclass
class Err:
    """The other case of a result."""

    value: Any = None


class FieldError(ValueError):
    """A value that its type in the WIT has no place for. `field` says where: `request.function.named.region`."""

    def __init__(self, field, problem):
        # The value is not repeated: it may be a secret.
        super().__init__(f"{field}: {problem}")
        self.field = field


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


def encode(kind, value, resources, at):
    """From plain Python to what the package `wasmtime` takes for the type `kind`; `at` is the field's name in errors."""
    if isinstance(kind, RecordType):
        return _record(kind, value, resources, at)
    if isinstance(kind, (VariantType, OptionType, ResultType)):
        case, payload = _case_of(kind, value, at)
        of = _cases(kind)[case]
        if isinstance(kind, VariantType):
            at = f"{at}.{case}"
        if of is None and payload is not None:
            raise FieldError(at, "nothing belongs to this case, None")
        payload = None if of is None else encode(of, payload, resources, at)
        return Variant(case, payload) if _is_wrapped(kind) else payload
    if isinstance(kind, ListType):
        if _classes(kind) == {bytes}:
            return bytes(_a(value, (bytes, bytearray), at, "bytes"))
        items = enumerate(_a(value, list, at, "a list"))
        return [encode(kind.element, item, resources, f"{at}[{index}]") for index, item in items]
    if isinstance(kind, TupleType):
        if len(_a(value, tuple, at, "a tuple")) != len(kind.elements):
            raise FieldError(at, f"a tuple of {len(kind.elements)} belongs here, not of {len(value)}")
        return tuple(
            encode(of, item, resources, f"{at}[{index}]")
            for index, (of, item) in enumerate(zip(kind.elements, value, strict=True))
        )
    if isinstance(kind, (OwnType, BorrowType)):
        return resources.lend(value)
    return _plain(kind, value, at)


def _record(kind, value, resources, at):
    fields = dict(kind.fields)
    for name in _a(value, dict, at, "a dict"):
        if name not in fields:
            meant = difflib.get_close_matches(str(name), fields, 1)
            hint = f"did you mean {meant[0]}?" if meant else f"there are {', '.join(fields)}"
            raise FieldError(f"{at}.{name}", f"there is no such field; {hint}")
    record = Record()
    for name, of in fields.items():
        if name not in value and not isinstance(of, OptionType):
            raise FieldError(f"{at}.{name}", "this field is missing")
        setattr(record, name, encode(of, value.get(name), resources, f"{at}.{name}"))
    return record


def _plain(kind, value, at):
    """Strings, numbers, booleans and enums, which are passed on as they are."""
    if isinstance(kind, EnumType):
        if _a(value, str, at, "a string") not in kind.names:
            raise FieldError(at, f"one of {', '.join(kind.names)} belongs here")
        return value
    [of] = _classes(kind)
    _a(value, of, at, {str: "a string", int: "a number", bool: "True or False"}.get(of, of.__name__))
    if of is int:
        name = type(kind).__name__
        bits, is_signed = int(name[1:]), name[0] == "S"
        least, end = (-(1 << bits - 1), 1 << bits - 1) if is_signed else (0, 1 << bits)
        if isinstance(value, bool) or not least <= value < end:
            raise FieldError(at, f"a number from {least} to {end - 1} belongs here")
    return value


def _a(value, of, at, words):
    if not isinstance(value, of):
        raise FieldError(at, f"{words} belongs here, not {type(value).__name__}")
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


def _case_of(kind, value, at):
    if isinstance(kind, OptionType):
        return ("none", None) if value is None else ("some", value)
    if isinstance(kind, ResultType):
        return ("ok" if isinstance(_a(value, (Ok, Err), at, "Ok or Err"), Ok) else "err"), value.value
    names = ", ".join(_cases(kind))
    if not isinstance(value, tuple) or len(value) != 2:
        raise FieldError(at, f"a tuple (case, payload) belongs here; the cases are {names}")
    if value[0] not in _cases(kind):
        raise FieldError(at, f"there is no such case; the cases are {names}")
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
