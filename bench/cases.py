"""What is measured, and the bars."""

from dataclasses import dataclass

CHUNKS, GAP_MS = 200, 5
TEXT = '{"model":"MODEL","messages":[{"role":"system","content":"You know the tides."},{"role":"user","content":"PAD"}]}'
IMAGE = (
    '{"model":"MODEL","max_tokens":64,"messages":[{"role":"user","content":[{"type":"text","text":"What is this?"},'
    '{"type":"image_url","image_url":{"url":"data:image/png;base64,PAD"}}]}]}'
)
STREAM = '{"model":"MODEL","stream":true,"messages":[{"role":"user","content":"PAD"}]}'


@dataclass(frozen=True)
class Case:
    """One kind of request, and how hard it is driven."""

    name: str
    mock: str  # path of the mock that answers it
    body: str
    size: int  # bytes of the body
    provider: str = "openai"
    connections: int = 1
    rate: int = 0  # requests a second; 0 is as fast as they are answered
    marks: int = 1
    tail: str = "}"  # what the end of a right answer holds
    untouched: str = ""  # the same where bytes pass untouched both ways, when that is another
    retries: int = 0
    is_timed: bool = False  # its times are measured, not its CPU


CASES = [
    Case("chat", "plain", TEXT, 1024, connections=64),
    Case("rate", "plain", TEXT, 1024, connections=16, rate=500),
    Case("body100k", "size", IMAGE, 100_000, connections=16, untouched="~100000 bytes"),
    Case("body5m", "size", IMAGE, 5_000_000, connections=4, retries=1, untouched="~5000000 bytes"),
    Case("translated", "anthropic", TEXT, 1024, provider="anthropic", connections=64),
    Case("chunks", f"stream/{CHUNKS}/{GAP_MS}", STREAM, 512, connections=50, marks=CHUNKS, tail="[DONE]"),
    Case("translated_chunks", f"anthropic-stream/{CHUNKS}/{GAP_MS}", STREAM, 512, provider="anthropic", connections=50,
         marks=CHUNKS, tail="[DONE]", untouched="message_stop"),
    Case("lat1", "plain", TEXT, 1024, connections=1, is_timed=True),
    Case("lat16", "plain", TEXT, 1024, connections=16, is_timed=True),
    Case("steady16", "plain", TEXT, 1024, connections=16, rate=2000, is_timed=True),
    Case("ttfb", f"stream/5/{GAP_MS}", STREAM, 512, connections=1, marks=5, tail="[DONE]", is_timed=True),
]

HOLD = Case("hold", "stream/1000000/1000", STREAM, 512)


@dataclass(frozen=True)
class Metric:
    """A row of the table. A bar is on the ratio to the floor, or with `absolute` on the value itself."""

    name: str
    label: str
    unit: str
    bar: float | None = None
    absolute: bool = False
    full: float | None = None  # the bar on the ratio with everything on


METRICS = [
    Metric("chat.cpu", "CPU per request, chat 1 KB", "µs", 1.2, full=1.45),
    Metric("rate.cpu", "CPU per request at 500/s", "µs"),
    Metric("body100k.cpu", "CPU per request, body 100 KB", "µs", 1.2),
    Metric("body5m.cpu", "CPU per request, body 5 MB, retryable", "µs", 1.5),
    Metric("translated.cpu", "CPU per request, OpenAI to Anthropic", "µs", 2.5),
    Metric("chunks.cpu", "CPU per chunk of a stream", "µs", 1.2, full=1.2),
    Metric("translated_chunks.cpu", "CPU per chunk, OpenAI from Anthropic", "µs", 2.5),
    Metric("lat1.p50", "added p50, 1 connection", "µs"),
    Metric("lat1.p99", "added p99, 1 connection (noise)", "µs"),
    Metric("lat16.p50", "added p50, 16 connections", "µs"),
    Metric("lat16.p99", "added p99, 16 connections", "µs", full=2.0),
    Metric("steady16.p50", "added p50, 16 connections, 2,000/s", "µs"),
    Metric("steady16.p99", "added p99, 16 connections, 2,000/s", "µs"),
    Metric("ttfb.p50", "added time to first chunk", "µs", 1.15),
    Metric("hold1000.stream", "memory per open stream, 1000 open", "KiB", 16, absolute=True),
    Metric("hold9500.stream", "memory per open stream, 9500 open", "KiB", 16, absolute=True),
    Metric("idle.rss", "memory when idle", "MiB", 20, absolute=True),
    Metric("start.ms", "start to first answer", "ms", 60, absolute=True),
    Metric("binary.mb", "size of the binary", "MB", 25, absolute=True),
]

# Portkey's CPU per chat request over ours.
PORTKEY_BAR = 60
