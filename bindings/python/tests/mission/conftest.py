import pytest
from swarmbus import EventBus


@pytest.fixture
def event_bus():
    return EventBus()
