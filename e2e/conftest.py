"""One gateway, one set of strict fakes and one real model server for the whole run."""

import pytest
from harness import office, processes, providers


@pytest.fixture(scope="session")
def fakes():
    process, urls = processes.start_fakes()
    yield urls
    process.stop()


@pytest.fixture(scope="session")
def model_server():
    process, url = processes.start_model_server()
    yield url
    process.stop()


@pytest.fixture(scope="session")
def upstreams(fakes, model_server):
    """Every upstream by name."""
    return providers.describe(fakes, model_server)


@pytest.fixture(scope="session")
def gateway(upstreams):
    """Tidegate, which also knows the upstreams by the names of its settings, and one saved config."""
    settings = "\n".join(provider.section() for provider in upstreams.values())
    running = processes.start_tidegate(settings=settings, configs={"pc-e2e": upstreams["cohere"].target()})
    yield running
    running.process.stop()


@pytest.fixture(scope="session")
def managed():
    """A gateway whose administrator's key is known: for whoever makes workspaces, keys and providers of his own."""
    running = processes.start_tidegate(TIDEGATE_ADMIN_KEY=office.ADMIN)
    yield running
    running.process.stop()


@pytest.fixture
def workspace(managed):
    """A workspace of the test's own in that gateway, with a key."""
    return office.workspace(managed)


@pytest.fixture(params=providers.FAKES)
def fake(request, upstreams):
    """Each strict fake."""
    return upstreams[request.param]


@pytest.fixture(params=providers.EMBEDDING_FAKES)
def embedding_fake(request, upstreams):
    """Each strict fake that has embeddings."""
    return upstreams[request.param]


@pytest.fixture
def real(upstreams):
    """The real model server."""
    return upstreams["real"]
