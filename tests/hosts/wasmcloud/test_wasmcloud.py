"""The connector as it is released, on wasmCloud: front, connector and store as three components of a workload."""

import unittest

from fleet import Fleet, FrontTest


class WasmCloudTest(FrontTest, unittest.TestCase):
    @classmethod
    def start(cls, google):
        fleet = cls.enterClassContext(Fleet(google))
        scheduler = fleet.schedule(fleet.stand_in(), fleet.connector())
        scheduler.running("google", 2)
        scheduler.running("gcf", 2)
        return fleet.hosts[0].front()
