"""The connector as it is released, on wasmCloud: front, connector and store as three components of a workload."""

import unittest

from fleet import Fleet, FrontTest


class WasmCloudTest(FrontTest, unittest.TestCase):
    @classmethod
    def start(cls, google):
        cls.fleet = Fleet(google).__enter__()
        scheduler = cls.fleet.schedule(cls.fleet.stand_in(), cls.fleet.connector())
        scheduler.running("google", 2)
        scheduler.running("gcf", 2)
        return cls.fleet.hosts[0].front()

    @classmethod
    def stop(cls):
        cls.fleet.__exit__()
