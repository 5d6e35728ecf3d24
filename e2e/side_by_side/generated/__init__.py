"""Cases drawn at random from what people use a gateway for.

Each case is drawn from its own number alone, so that its id is all that is needed to play it again, whatever else is
played: `python -m side_by_side 'generated/1-0042*'` from e2e/. The weights of the draws say how often something is used, as far
as that can be known; they are not to be bent towards what the two gateways agree on. Nothing is left out because
of what came of it.

* `draw.py`     dice
* `routes.py`   who is called: headers or a config, its strategies, targets and what they inherit
* `asks.py`     what is asked: the endpoint and its body
* `answers.py`  what the provider answers, in the words of whoever was called
"""

from ..case import Case
from . import answers, asks, routes
from .draw import Draw

SEED = 1
COUNT = 3000


def cases(seed: int = SEED, count: int = COUNT) -> list[Case]:
    return [one(seed, index) for index in range(count)]


def one(seed: int, index: int) -> Case:
    draw = Draw(f"{seed}:{index}")
    endpoint = asks.endpoint(draw)
    route = routes.route(draw, endpoint)
    ask = asks.ask(draw, endpoint, route)
    replies = answers.replies(draw, route)
    return Case(f"{seed}-{index:04} {endpoint.name}, {route.name}", (route.request(ask),), replies)
