"""The functions under test, as anybody would write them for Google."""

import hashlib
import json
import sys

import flask
import functions_framework


def stream():
    return flask.Response((part for part in ("one ", "two ", "three")), mimetype="text/plain")


def cookies():
    response = flask.make_response("two cookies")
    response.headers.add("set-cookie", "a=1; Path=/")
    response.headers.add("set-cookie", "b=2; Path=/; HttpOnly")
    return response


def broken():
    raise RuntimeError("out of order")


ANSWERS = {
    "stream": stream,
    "cookies": cookies,
    "binary": lambda: flask.Response(bytes(range(256)), 418, mimetype="application/octet-stream"),
    "nothing": lambda: ("", 204),
    "missing": lambda: flask.make_response(flask.jsonify(error="no such thing here"), 404),
    "broken": broken,
}


@functions_framework.http
def hello(request):
    answer = ANSWERS.get(request.args.get("do"))
    if answer:
        return answer()
    files = {name: [file.filename, file.mimetype, file.read().decode("latin1")] for name, file in request.files.items()}
    body = request.get_data()
    return flask.jsonify(
        method=request.method,
        path=request.path,
        query=request.args.to_dict(),
        headers={name.lower(): value for name, value in request.headers},
        form=request.form.to_dict(flat=False),
        files=files,
        size=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
        start=body[:1000].decode("latin1"),
    )


@functions_framework.http
def strict(request):
    """The request, as it arrived; a body is JSON if its media type says so, and refused if it is none then."""
    body = request.get_json() if request.is_json else request.get_data().decode() or None
    return flask.jsonify(
        method=request.method,
        type=request.headers.get("content-type"),
        length=request.headers.get("content-length"),
        coding=request.headers.get("transfer-encoding"),
        body=body,
    )


@functions_framework.cloud_event
def event(event):
    """An event has no answer: what arrived is said on stdout."""
    if event["type"] == "com.example.broken":
        raise RuntimeError("out of order")
    attributes = {**event.get_attributes(), "data": event.get_data()}
    sys.stdout.write(f"event {json.dumps(attributes, default=lambda data: data.decode('latin1'))}\n")
    sys.stdout.flush()
