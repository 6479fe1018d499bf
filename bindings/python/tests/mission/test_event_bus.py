# The unit tests of SwarmBot's design, as it has them but for where the package is.
import pytest
from swarmbus import EventBus, Event

class TestEventBus:
    @pytest.mark.asyncio
    async def test_publish_subscribe_basic(self):
        """Test basic pub/sub functionality."""
        bus = EventBus()
        received_events = []

        # Subscribe
        sub_id = bus.subscribe(
            "test.event",
            lambda e: received_events.append(e)
        )

        # Publish
        event = Event(type="test.event", data={"value": 42})
        await bus.publish(event)

        # Verify
        assert len(received_events) == 1
        assert received_events[0].data["value"] == 42

    @pytest.mark.asyncio
    async def test_pattern_matching(self):
        """Test wildcard pattern subscriptions."""
        bus = EventBus()
        agent_events = []

        # Subscribe to all agent events
        bus.subscribe("agent.*", lambda e: agent_events.append(e))

        # Publish various events
        await bus.publish(Event(type="agent.created", data={}))
        await bus.publish(Event(type="agent.status.changed", data={}))
        await bus.publish(Event(type="task.created", data={}))

        # Only agent events should be received
        assert len(agent_events) == 2
