"""Portkey's gateway and Tidegate in front of the same upstream: the same requests, and every difference.

* `upstream.py`  what both gateways call: it does what the model's name says, or what the case tells it to
* `case.py`      one case: requests, the upstream's answers
* `cases/`       the cases, as data
* `play.py`      sends a case to a gateway and writes down what came back and what the upstream saw
* `compare.py`   lists the differences
* `intended.py`  which of them are meant, by `intended.toml`
* `run.py`       all of it, for every case, and the report
"""
