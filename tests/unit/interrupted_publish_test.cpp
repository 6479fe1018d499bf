// A publisher that is stopped between its claim and its commit. The payload lies in memory that
// faults at its first read, which is there: what the others do meanwhile runs in the fault handler.
#include <gtest/gtest.h>

#include <signal.h>
#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <new>
#include <thread>

#include "src/waking/futex.hpp"
#include "src/words/waking_words.hpp"
#include "tests/unit/bus_fixture.hpp"

namespace swarmbus::test {
namespace {

// One page. arm() makes its next read run what was asked for.
class FaultingPayload {
public:
    FaultingPayload() {
        void* page = ::mmap(nullptr, SWB_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED) throw std::bad_alloc();
        page_ = static_cast<char*>(page);
        std::memcpy(page_, "payload", 7);
        struct sigaction action {};
        action.sa_sigaction = on_fault;
        action.sa_flags = SA_SIGINFO;
        ::sigaction(SIGSEGV, &action, &before_);
        armed_ = this;
    }
    ~FaultingPayload() {
        armed_ = nullptr;
        ::sigaction(SIGSEGV, &before_, nullptr);
        ::munmap(page_, SWB_PAGE);
    }
    FaultingPayload(const FaultingPayload&) = delete;
    FaultingPayload& operator=(const FaultingPayload&) = delete;

    std::string_view text() const noexcept { return {page_, 7}; }
    void arm(std::function<void()> at_first_read) {
        at_first_read_ = std::move(at_first_read);
        ::mprotect(page_, SWB_PAGE, PROT_NONE);
    }

private:
    static void on_fault(int, siginfo_t* info, void*) {
        FaultingPayload* self = armed_;
        const auto* at = static_cast<const char*>(info->si_addr);
        if (self == nullptr || at < self->page_ || at >= self->page_ + SWB_PAGE) {
            ::signal(SIGSEGV, SIG_DFL);  // a fault of its own: it comes again and ends the test
            return;
        }
        ::mprotect(self->page_, SWB_PAGE, PROT_READ | PROT_WRITE);
        self->at_first_read_();
    }

    static inline FaultingPayload* armed_ = nullptr;
    char* page_ = nullptr;
    std::function<void()> at_first_read_;
    struct sigaction before_ {};
};

class InterruptedPublish : public testing::Test {
protected:
    void open(Overflow overflow) {
        Options options = small_bus_options();
        options.overflow = overflow;
        handle = Handle::open(name, options);
        handle->subscribe("*", nullptr, nullptr);
        ring = sound_ring(handle->attachment().segment(), 0);
        writer = handle->writer().id();
        handle->event_type("agent.created");
    }
    // As a reader does that finds the writer of `p` stalled.
    void take_away(Position p) const {
        ring.claim(p) = Claim::of(ring.lap(p), writer, Mark::revoked).raw;
        ring.words->head = Head{ring.words->head}.passed(1).raw;
    }
    Position hint() const { return ring.words->hint; }

    BusName name;
    std::shared_ptr<Handle> handle;
    Ring ring;
    std::uint32_t writer = 0;
    FaultingPayload payload;
};

TEST_F(InterruptedPublish, whose_position_is_taken_away_arrives_once_at_another) {
    for (const Overflow policy : {Overflow::drop_oldest, Overflow::drop_newest, Overflow::block}) {
        open(policy);
        const Position first = hint();
        payload.arm([&] { take_away(first); });
        const Delivery delivery = publish(*handle, "agent.created", payload.text());
        EXPECT_EQ(delivery.delivered, 1u);
        EXPECT_EQ(delivery.dropped, 0u);
        EXPECT_EQ(receive_all(*handle), std::vector<std::string>{"agent.created:payload"});
        EXPECT_TRUE(State{ring.state(first)}.skip_at(ring.lap(first)));
        EXPECT_EQ(Claim{ring.claim(first)}, Claim::of(ring.lap(first), writer, Mark::owned));
        EXPECT_EQ(hint(), first + 2);
        handle->close();
    }
}

TEST_F(InterruptedPublish, that_finds_the_inbox_full_afterwards_counts_the_loss) {
    open(Overflow::drop_newest);
    const Position first = hint();
    payload.arm([&] {
        take_away(first);
        // Others fill the inbox meanwhile and pass the slot that was set aside.
        for (Position p = first + 1; p < first + 16; ++p) {
            ring.claim(p) = Claim::of(ring.lap(p), writer + 1, Mark::owned).raw;
            ring.state(p) = State::of(ring.lap(p), Status::skip).raw;
        }
        ring.claim(first + 16) = Claim::of(ring.lap(first + 16), writer, Mark::revoked).raw;
        ring.words->hint = first + 17;
    });
    const Delivery delivery = publish(*handle, "agent.created", payload.text());
    EXPECT_EQ(delivery.delivered, 0u);
    EXPECT_EQ(delivery.dropped_by[static_cast<std::size_t>(LossCause::full)], 1u);
    EXPECT_EQ(handle->losses()[static_cast<std::size_t>(LossCause::full)], 1u);
    EXPECT_TRUE(State{ring.state(first + 16)}.skip_at(ring.lap(first + 16))) << "given back where it had been carried to";
}

TEST_F(InterruptedPublish, that_waited_for_room_and_finds_the_inbox_full_again_counts_the_loss) {
    open(Overflow::block);
    const Position first = hint();
    for (int i = 0; i < 16; ++i) ASSERT_EQ(publish(*handle, "agent.created", "").delivered, 1u);
    swb_l_inbox& words = *ring.words;
    payload.arm([&] { ring.claim(first + 16) = Claim::of(ring.lap(first + 16), writer, Mark::revoked).raw; });
    // Makes room for one event as soon as the publisher waits for it.
    std::atomic<bool> published{false};
    std::thread reader([&] {
        while ((std::atomic_ref(words.room).load() & words::kWaitedFor) == 0) {
            if (published) return;
        }
        std::atomic_ref(words.head).store(Head::of(first + 1, 0).raw);
        words::take_waiters(words);
        futex_wake_all(words.room);
    });
    Message message;
    message.payload = std::as_bytes(std::span(payload.text().data(), payload.text().size()));
    message.block_timeout_ns = 200'000'000;
    Delivery delivery;
    EXPECT_EQ(handle->writer().publish(*handle->event_type("agent.created"), message, delivery), SWB_DROPPED);
    published = true;
    reader.join();
    EXPECT_EQ(delivery.delivered, 0u);
    EXPECT_EQ(delivery.dropped_by[static_cast<std::size_t>(LossCause::timeout)], 1u);
    EXPECT_EQ(words.dropped_timeout, 1u);
}

TEST_F(InterruptedPublish, refuses_a_second_publish_of_the_same_thread) {
    open(Overflow::drop_oldest);
    Result second = SWB_OK;
    payload.arm([&] {
        Message message;
        Delivery delivery;
        second = handle->writer().publish(*handle->event_type("agent.created"), message, delivery);
    });
    EXPECT_EQ(publish(*handle, "agent.created", payload.text()).delivered, 1u);
    EXPECT_EQ(second, SWB_ERR_REENTRANT);
    EXPECT_EQ(receive_all(*handle), std::vector<std::string>{"agent.created:payload"});
}

TEST_F(InterruptedPublish, names_the_inbox_it_is_in_until_it_has_settled) {
    open(Overflow::drop_oldest);
    swb_l_writer& line = handle->attachment().segment().writer(writer);
    std::uint32_t named = 0, inside = 0;
    payload.arm([&] {
        named = line.in_inbox[0];
        inside = line.inside;
    });
    publish(*handle, "agent.created", payload.text());
    EXPECT_EQ(named, 1u) << "index 0";
    EXPECT_EQ(inside, 1u);
    EXPECT_EQ(line.in_inbox[0], 0u);
    EXPECT_EQ(line.inside, 0u);
}

}  // namespace
}  // namespace swarmbus::test
