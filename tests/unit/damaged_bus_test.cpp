// A segment that somebody with write access has damaged: publishers and readers lose events or answer
// with errors, and never crash or hang. Each trial runs in a child with an alarm.
#include <gtest/gtest.h>

#include <unistd.h>

#include "tests/unit/bus_fixture.hpp"

namespace swarmbus::test {
namespace {

using Events = std::vector<std::string>;

constexpr unsigned kSecondsUntilItHangs = 5;

class DamagedBus : public testing::Test {
protected:
    // trial(handle, ring) returns true, in time. The handle has one open inbox, whose ring it is.
    template <typename Trial>
    static void survives(Trial&& trial) {
        const BusName name;
        EXPECT_EXIT(
            {
                ::alarm(kSecondsUntilItHangs);
                const auto handle = Handle::open(name, small_bus_options());
                handle->subscribe("*", nullptr, nullptr);
                publish(*handle, "agent.created", "before");
                if (receive_all(*handle) != Events{"agent.created:before"}) ::_exit(2);
                ::_exit(trial(*handle, sound_ring(handle->attachment().segment(), 0)) ? 0 : 1);
            },
            testing::ExitedWithCode(0), "");
    }
    // Receiving calls come back when their time is over, whatever they answer.
    static bool comes_back(Handle& handle) {
        swb_event event{};
        event.size = sizeof event;
        std::size_t count = 0;
        handle.receive(0, &event, 1, count);
        handle.receive(20'000'000, &event, 1, count);
        publish(handle, "agent.created", "after");
        handle.receive(20'000'000, &event, 1, count);
        return true;
    }
};

TEST_F(DamagedBus, a_route_beyond_the_table_of_inboxes_leads_nowhere) {
    survives([](Handle& handle, const Ring&) {
        swb_l_route& route = handle.attachment().segment().route(0);
        (&route.words[0])[2] = ~std::uint64_t{0};  // of 130 inboxes, two are in this word
        route.summary = ~std::uint64_t{0};
        return publish(handle, "agent.created", "1").delivered == 1 && receive_all(handle) == Events{"agent.created:1"};
    });
}

TEST_F(DamagedBus, a_state_with_an_unknown_status_does_not_stop_the_reader) {
    survives([](Handle& handle, const Ring& ring) {
        const Position h = Head{ring.words->head}.at();
        ring.claim(h) = Claim::of(ring.lap(h), 1, Mark::owned).raw;
        ring.state(h) = ring.lap(h) << 16 | 7;
        return comes_back(handle);
    });
}

TEST_F(DamagedBus, a_state_ahead_of_head_does_not_stop_the_reader) {
    survives([](Handle& handle, const Ring& ring) {
        const Position h = Head{ring.words->head}.at();
        ring.state(h) = State::of(ring.lap(h) + 16, Status::ready).raw;
        return comes_back(handle);
    });
}

TEST_F(DamagedBus, states_scribbled_all_over_are_mended_where_nothing_was_written) {
    survives([](Handle& handle, const Ring& ring) {
        publish(handle, "agent.created", "lost");
        for (std::uint32_t i = 0; i < ring.capacity; ++i) ring.state(i) = 0x5a5a5a5a5a5a5a5a;
        if (receive_all(handle) != Events{"lost 1"}) return false;
        publish(handle, "agent.created", "after");
        return receive_all(handle) == Events{"agent.created:after"};
    });
}

TEST_F(DamagedBus, slots_and_claims_scribbled_all_over_do_not_stop_the_reader) {
    survives([](Handle& handle, const Ring& ring) {
        for (std::uint32_t i = 0; i < ring.capacity; ++i) ring.claims[i] = ring.state(i) = 0x5a5a5a5a5a5a5a5a;
        return comes_back(handle);
    });
}

TEST_F(DamagedBus, a_freed_entry_that_points_elsewhere_gives_no_memory_of_others_back) {
    survives([](Handle& handle, const Ring&) {
        Segment& segment = handle.attachment().segment();
        swb_l_subscriber& entry = segment.subscriber(1);
        entry.block_at = 0 - segment.plan().rings_at;  // the header
        entry.block_bytes = SWB_PAGE;
        segment.inbox(1).gate = Gate::of(1, SWB_GATE_FREED).raw;
        const auto second = handle.separate(handle.options());
        second->subscribe("*", nullptr, nullptr);
        return segment.header().magic != 0 && publish(handle, "agent.created", "1").delivered == 2;
    });
}

TEST_F(DamagedBus, a_claim_with_an_unknown_mark_does_not_stop_the_reader) {
    survives([](Handle& handle, const Ring& ring) {
        const Position h = Head{ring.words->head}.at();
        ring.claim(h) = Claim::of(ring.lap(h), 4094, Mark::owned).raw | 9;
        return comes_back(handle);
    });
}

TEST_F(DamagedBus, a_claim_ahead_of_head_does_not_stop_the_reader) {
    survives([](Handle& handle, const Ring& ring) {
        const Position h = Head{ring.words->head}.at();
        ring.claim(h) = Claim::of(ring.lap(h) + 16, 4094, Mark::owned).raw;
        return comes_back(handle);
    });
}

TEST_F(DamagedBus, a_head_that_jumped_does_not_stop_the_reader) {
    for (const std::int64_t jump :
         {std::int64_t{-1}, std::int64_t{-16}, std::int64_t{1}, std::int64_t{16}, std::int64_t{1} << 46, -(std::int64_t{1} << 46)}) {
        survives([jump](Handle& handle, const Ring& ring) {
            const Head head{ring.words->head};
            ring.words->head = Head::of(position(head.at() + static_cast<Position>(jump)), 0).raw;
            return comes_back(handle);
        });
    }
}

TEST_F(DamagedBus, a_slot_that_makes_no_sense_is_told_as_damaged) {
    survives([](Handle& handle, const Ring& ring) {
        const Position h = Head{ring.words->head}.at();
        publish(handle, "agent.created", "1");
        publish(handle, "agent.created", "2");
        reinterpret_cast<swb_l_slot*>(ring.slot(h))->payload_bytes = 0xffff;
        return receive_all(handle) == Events{"lost 1", "agent.created:2"} &&
               handle.losses()[static_cast<std::size_t>(LossCause::damaged)] == 1;
    });
}

TEST_F(DamagedBus, an_event_of_a_type_that_does_not_exist_is_told_as_damaged) {
    survives([](Handle& handle, const Ring& ring) {
        const Position h = Head{ring.words->head}.at();
        publish(handle, "agent.created", "1");
        publish(handle, "agent.created", "2");
        publish(handle, "agent.created", "3");
        reinterpret_cast<swb_l_slot*>(ring.slot(h))->type = 7;                    // in the table, not in use
        reinterpret_cast<swb_l_slot*>(ring.slot(h + 1))->type = SWB_TYPE_INLINE;  // with no name in the slot
        return receive_all(handle) == Events{"lost 2", "agent.created:3"};
    });
}

TEST_F(DamagedBus, an_inbox_whose_entry_leads_out_of_the_rings_gets_nothing) {
    survives([](Handle& handle, const Ring&) {
        swb_l_subscriber& entry = handle.attachment().segment().subscriber(0);
        swb_l_inbox& words = handle.attachment().segment().inbox(0);
        words.gate = Gate::of(99, SWB_GATE_ACTIVE).raw;  // as for a new owner: publishers look again
        entry.block_at = std::uint64_t{1} << 40;
        return publish(handle, "agent.created", "1").delivered == 0;
    });
}

TEST_F(DamagedBus, an_inbox_with_a_capacity_or_policy_that_makes_no_sense_gets_nothing) {
    survives([](Handle& handle, const Ring&) {
        swb_l_subscriber& entry = handle.attachment().segment().subscriber(0);
        swb_l_inbox& words = handle.attachment().segment().inbox(0);
        std::uint64_t generation = 99;
        for (const std::uint32_t capacity : {0u, 8u, 17u, 32u, 131072u}) {
            words.gate = Gate::of(++generation, SWB_GATE_ACTIVE).raw;
            entry.capacity = capacity;
            if (publish(handle, "agent.created", "1").delivered != 0) return false;
        }
        entry.capacity = 16;
        words.gate = Gate::of(++generation, SWB_GATE_ACTIVE).raw;
        entry.policy = 3;
        return publish(handle, "agent.created", "1").delivered == 0;
    });
}

}  // namespace
}  // namespace swarmbus::test
