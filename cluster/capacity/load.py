"""How many pages a second callers send over a day: a daily wave with bursts on it."""

import math
import random
from dataclasses import dataclass

from capacity.parameters import Scenario

DAY_S = 86_400
_PEAK_HOUR = 14


@dataclass(frozen=True)
class DailyLoad:
    """The wave is highest at two in the afternoon; bursts multiply it for a few minutes each."""

    scenario: Scenario
    bursts_at_s: tuple[float, ...]

    def pages_per_s(self, now_s: float) -> float:
        """The mean rate at a moment."""
        scenario = self.scenario
        angle = 2 * math.pi * (now_s / DAY_S - _PEAK_HOUR / 24)
        wave = (1 + math.cos(angle)) / 2
        rate = scenario.peak_pages_per_s * (scenario.night_share + (1 - scenario.night_share) * wave)
        bursting = any(start <= now_s < start + scenario.burst_s for start in self.bursts_at_s)
        return rate * (scenario.burst_factor if bursting else 1.0)


def draw_load(scenario: Scenario, chance: random.Random) -> DailyLoad:
    """A day of this scenario; its bursts come at random moments."""
    moments = sorted(chance.uniform(0, DAY_S) for _ in range(scenario.bursts))
    return DailyLoad(scenario, tuple(moments))
