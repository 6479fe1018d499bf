# The performance test of SwarmBot's design, as it has it but for where the package is.
import time

from swarmbus import Event

class TestEventPerformance:
    async def test_high_throughput(self, event_bus):
        """Test system handles 10k events/second."""
        events_received = 0

        def counter(event):
            nonlocal events_received
            events_received += 1

        event_bus.subscribe("perf.*", counter)

        # Publish 10k events
        start = time.time()
        for i in range(10000):
            await event_bus.publish(
                Event(type="perf.test", data={"i": i})
            )
        duration = time.time() - start

        assert events_received == 10000
        assert duration < 1.0  # Should handle 10k in under 1 second
