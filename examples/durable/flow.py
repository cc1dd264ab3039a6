"""An order in two steps that outlives the process which runs it: a durable flow in Restate, over the connector's HTTP front.

    GCF_FRONT=http://127.0.0.1:8000 GCF_FRONT_TOKEN=… GCF_CONNECTION=… hypercorn flow:app

Restate writes down what each step returned before the next begins. If the process dies, Restate has the flow run again
elsewhere, and hands it what is written down in place of the steps. A step during which the process dies is made again, for
nobody knows whether the function was called: so each call carries a key by which the function can tell.
"""

import asyncio
import json
import os
import urllib.error
import urllib.request
from datetime import timedelta

import restate

FUNCTION, REGION = os.environ.get("FLOW_FUNCTION", "orders"), os.environ.get("FLOW_REGION", "europe-west1")
# The statuses of the front that are worth another try: docs/guide/hosts.md.
LATER = {429, 502, 503, 504}
TRIES = restate.RunOptions(max_attempts=10, initial_retry_interval=timedelta(seconds=1), max_retry_interval=timedelta(minutes=1))

order = restate.Workflow("order")


@order.main()
async def run(flow: restate.WorkflowContext, given: dict) -> dict:
    reserved = await flow.run_typed("reserve", call, TRIES, "reserve", flow.key(), given)
    say("waiting", flow.key())
    # For as long as it takes: nothing runs meanwhile, and no process has to stay.
    if not await flow.promise("approved").value():
        return {"reserved": reserved, "confirmed": None}
    confirmed = await flow.run_typed("confirm", call, TRIES, "confirm", flow.key(), given)
    return {"reserved": reserved, "confirmed": confirmed}


@order.handler()
async def approve(flow: restate.WorkflowSharedContext, approved: bool) -> None:
    await flow.promise("approved").resolve(approved)


async def call(step, key, given):
    """Calls the function, and returns what it answered: its own status is for the flow to judge."""
    # Ours last: what a caller gives under these names does not count.
    body = {**given, "step": step, "order": key}
    request = {
        "function": {"named": {"name": FUNCTION, "region": REGION}},
        "headers": [{"name": "idempotency-key", "value": f"{key}/{step}"}],
        "body": {"json": json.dumps(body, sort_keys=True)},
        "auth": "id-token",
    }
    answer = await asyncio.to_thread(ask, "functions/invoke", request)
    return {"status": answer["status"]}


def ask(action, given):
    asked = urllib.request.Request(
        f"{os.environ['GCF_FRONT']}/gcf:connector/{action}?connection={os.environ['GCF_CONNECTION']}",
        json.dumps(given).encode(),
        {"authorization": f"Bearer {os.environ['GCF_FRONT_TOKEN']}", "content-type": "application/json"},
    )
    try:
        with urllib.request.urlopen(asked, timeout=90) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        said = json.load(error)
        if error.code in LATER:
            raise RuntimeError(said["message"]) from None
        # Asking again would not help: the flow ends with what the connector says is to do.
        raise restate.TerminalError("; ".join(filter(None, [said["message"], said["fix"]]))) from None


def say(event, key):
    print(json.dumps({"event": event, "order": key}), flush=True)


app = restate.app([order])
