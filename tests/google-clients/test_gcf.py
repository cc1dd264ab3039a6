"""Each function as gcf shows it, and as Google's clients read it in the same answers.

play.py has played the tapes. Words that differ, though they mean the same, are in same.json, each with its source, and so are
the fields that are switched in a copy of an answer: each must be seen. The same is compared with the clients for Node in
gcf.test.mjs.
"""

import copy
import json
import os
import re
import unittest
from pathlib import Path

from clients import by_client, route

PLAYED = json.loads(Path(os.environ["GCF_PLAYED"]).read_text())
SAME = json.loads((Path(__file__).parent / "same.json").read_text())

TRIGGER_TYPE = "cloudfunctions.googleapis.com/trigger-type"
RUNTIME = "goog-cloudfunctions-runtime"


def word(kind, google):
    return SAME["words"][kind].get(google, google)


def moment(text):
    """RFC 3339 without the zeros at its end, which say nothing: Google writes them, and its clients don't."""
    return re.sub(r"\.?0+Z$", "Z", text) if text and "." in text else text


def set_enum(value):
    """The name of an enum's value, but for the one that stands for none."""
    return value.name if value else None


def of_function(message):
    config = message.service_config
    return {
        "generation": word("generation", message.environment.name),
        "trigger": message.event_trigger.event_type if "event_trigger" in message else "http",
        "state": message.state.name,
        # Of 2nd gen that of the service, at which it is called; of 1st gen the only one.
        "url": config.uri or message.url or None,
        "runtime": message.build_config.runtime or None,
        "service-account": config.service_account_email or None,
        "ingress": set_enum(config.ingress_settings),
        "timeout-seconds": config.timeout_seconds or None,
        "memory": config.available_memory or None,
    }


def of_service(message):
    template = message.template
    image = message.build_config.base_image.rpartition("/runtimes/")[2]
    limits = [container.resources.limits.get("memory") for container in template.containers]
    return {
        "generation": "cloud-run",
        "trigger": word("trigger", template.annotations.get(TRIGGER_TYPE, "")),
        "state": word("state", message.terminal_condition.state.name),
        "url": message.uri or None,
        "runtime": image or message.labels.get(RUNTIME),
        "service-account": template.service_account or None,
        "ingress": set_enum(message.ingress),
        "timeout-seconds": int(template.timeout.total_seconds()) or None,
        "memory": next((limit for limit in limits if limit), None),
    }


def shown(kind, message):
    """The function that gcf has to show for a function or service that the client has read."""
    _, project, _, region, _, name = message.name.split("/")
    return {
        "name": name,
        "region": region,
        "project": project,
        **(of_function(message) if kind == "functions" else of_service(message)),
        "labels": dict(message.labels),
        "updated": message.update_time.rfc3339() if message.update_time else None,
    }


def read(answer, body):
    """The functions that gcf has to show of an answer."""
    _, call = route(answer["request"])
    found = by_client(json.dumps(body).encode(), call, answer["request"])
    messages = [found] if hasattr(found, "name") else found
    return [shown(answer["kind"], message) for message in messages]


def by_place(functions):
    """Each by what tells it from all others; a time is a moment, however it is written."""
    places = {(each["region"], each["name"], each["generation"]): {**each, "updated": moment(each["updated"])} for each in functions}
    assert len(places) == len(functions), "one stands twice"
    return places


def switch(body, path, value):
    switched = copy.deepcopy(body)
    *way, last = path
    place = switched
    for step in way:
        place = place[step]
    place[last] = value
    return switched


class Gcf(unittest.TestCase):
    def test_gcf_shows_what_googles_clients_read(self):
        answers = functions = 0
        for play in PLAYED:
            with self.subTest(play["where"]):
                expected = [each for answer in play["answers"] for each in read(answer, answer["body"])]
                said, expected_at = by_place(play["functions"]), by_place(expected)
                self.assertEqual(said.keys(), expected_at.keys())
                for place, function in said.items():
                    self.assertEqual(function, expected_at[place])
                answers += len(play["answers"])
                functions += len(expected)
        print(f"gcf shows {functions} functions of {answers} answers as Google's clients for Python read them")
        self.assertGreater(answers, 30)
        self.assertGreater(functions, 90)

    def test_each_field_that_is_switched_is_seen(self):
        for kind, switches in SAME["switched"].items():
            name = {"functions": "hello-http", "services": "slack-bot"}[kind]
            plays = [play for play in PLAYED if " get " in play["where"]]
            play = next(each for each in plays if each["answers"][0]["kind"] == kind and each["functions"][0]["name"] == name)
            [answer], [said] = play["answers"], play["functions"]
            for field, path, value in switches:
                with self.subTest(f"{kind}: {field}"):
                    [other] = read(answer, switch(answer["body"], path, value))
                    self.assertEqual([name for name in said if said[name] != other[name]], [field])
            # Everything that gcf shows; that a service is one of Cloud Run is in its URL.
            constant = {"generation"} if kind == "services" else set()
            self.assertEqual({field for field, *_ in switches} | constant, set(said))


if __name__ == "__main__":
    unittest.main(verbosity=2)
