"""The other endpoints of OpenAI's API, and Anthropic's own."""

from ..case import case, chat, target
from ..upstream import Answer

BOUNDARY = "x0x"
FORM = (
    f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
    f'--{BOUNDARY}\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\ncontent-type: audio/wav\r\n\r\nRIFF\r\n'
    f"--{BOUNDARY}--\r\n"
).encode()
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
ONE = Answer(200, {"id": "x"})
BYTES = Answer(200, b"ID3", {"content-type": "audio/mpeg"})


def ask(method: str, path: str, body: object = None, provider: str = "openai", answer: Answer = ONE):
    return case(f"{provider}: {method} {path}", method=method, path=path, config=target(provider=provider), body=body, answer=answer)


CASES = [
    ask("GET", "/v1/models"),
    ask("GET", "/v1/models/m"),
    ask("POST", "/v1/moderations", {"input": "a"}),
    ask("POST", "/v1/images/generations", {"model": "m", "prompt": "a", "n": 1}),
    ask("POST", "/v1/audio/speech", {"model": "m", "input": "a", "voice": "v"}, answer=BYTES),
    ask("GET", "/v1/files"),
    ask("GET", "/v1/files/f1"),
    ask("GET", "/v1/files/f1/content"),
    ask("DELETE", "/v1/files/f1"),
    ask("POST", "/v1/batches", {"input_file_id": "f", "endpoint": "/v1/chat/completions", "completion_window": "24h"}),
    ask("GET", "/v1/batches"),
    ask("GET", "/v1/batches/b1"),
    ask("POST", "/v1/batches/b1/cancel", {}),
    ask("GET", "/v1/fine_tuning/jobs"),
    ask("GET", "/v1/fine_tuning/jobs/j1"),
    ask("POST", "/v1/fine_tuning/jobs", {"model": "m", "training_file": "f"}),
    ask("POST", "/v1/fine_tuning/jobs/j1/cancel", {}),
    ask("POST", "/v1/responses", {"model": "m", "input": "a"}),
    ask("GET", "/v1/responses/r1"),
    ask("DELETE", "/v1/responses/r1"),
    ask("GET", "/v1/responses/r1/input_items"),
    ask("POST", "/v1/messages/count_tokens", {"model": "m", "messages": chat()["messages"]}, "anthropic", Answer(200, {"input_tokens": 3})),
    ask("POST", "/v1/images/generations", {"model": "m", "prompt": "a"}, "anthropic"),
    ask("POST", "/v1/audio/speech", {"model": "m", "input": "a", "voice": "v"}, "anthropic"),
    ask("POST", "/v1/responses", {"model": "m", "input": "a"}, "cohere"),
    ask("POST", "/v1/embeddings", {"model": "m", "input": "a"}, "anthropic"),
    ask("POST", "/v1/embeddings", {"model": "m", "input": "a"}, "perplexity-ai"),
    ask("POST", "/v1/completions", {"model": "m", "prompt": "a"}, "google"),
    case("openai: transcription", path="/v1/audio/transcriptions", config=target(), raw=FORM, content_type=MULTIPART, answer=Answer(200, {"text": "a"})),
    case("openai: translation", path="/v1/audio/translations", config=target(), raw=FORM, content_type=MULTIPART, answer=Answer(200, {"text": "a"})),
]
