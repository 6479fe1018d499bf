// sub and wait by a gateway.
#include <signal.h>

#include "src/tool/arguments.hpp"
#include "src/tool/exit_status.hpp"
#include "src/tool/listen.hpp"
#include "src/tool/remote_session.hpp"
#include "ws_gateway/client/remote_types.hpp"

namespace swarmbus::tool {
namespace {

using remote::CaughtUp;
using remote::Gap;
using remote::RemoteEvent;
using remote::Reset;

// A gap as the losses of an inbox: who is too slow loses the oldest events.
swb_event losses_of(const Gap& gap) {
    swb_event losses = Event().raw();
    std::fill(std::begin(losses.lost_by), std::end(losses.lost_by), std::uint64_t{0});
    losses.lost = gap.missed;
    if (gap.cause == Gap::Cause::slow) {
        losses.lost_by[SWB_LOSS_EVICTED] = gap.missed;
    } else {
        std::copy(gap.lost_by.begin(), gap.lost_by.end(), losses.lost_by);
    }
    return losses;
}

class RemoteListening {
public:
    explicit RemoteListening(const Listening& what)
        : what_(what),
          end_(what.timeout ? Clock::now() + *what.timeout : Clock::time_point::max()),
          session_(what.gateway, what.patterns, &output_),
          types_([this](const std::string& path) { return session_.fetch(path, end_); }),
          lines_(lines_of(
              what.format, [this](const Event& event) { return types_.to_json(event.raw()); },
              [this](const Event& event) { return types_.to_cloudevent(event.raw()); }, output_)) {}

    Heard listen() {
        try {
            while (!is_done()) {
                session_.turn(end_);
                take();
            }
        } catch (const TimeUp&) {}
        output_.flush();
        return heard_;
    }

private:
    bool is_done() const { return (what_.count && heard_.events == *what_.count) || Clock::now() >= end_; }

    void take() {
        while (!(what_.count && heard_.events == *what_.count)) {
            const auto received = session_.client().next();
            if (!received) break;
            if (const auto* event = std::get_if<RemoteEvent>(&*received)) print(*event);
            if (const auto* gap = std::get_if<Gap>(&*received)) lose(*gap);
            if (const auto* reset = std::get_if<Reset>(&*received)) {
                session_.tell_back(std::string(", but events may be missing: ") + remote::meaning_of(reset->reason));
                heard_.incomplete = true;
            }
            if (const auto* caught_up = std::get_if<CaughtUp>(&*received)) {
                session_.tell_back("; events that were missed: " + std::to_string(caught_up->events));
            }
        }
        print_losses();
        output_.flush();
    }

    void print(const RemoteEvent& received) {
        if (received.is_of_snapshot) return;  // a state, and nothing that has happened now
        swb_event event = received.event;
        if (losses_) {
            event.lost = losses_->lost;
            std::copy(std::begin(losses_->lost_by), std::end(losses_->lost_by), event.lost_by);
            losses_.reset();
        }
        lines_->append(output_.text(), Event(event), received.omitted_bytes);
        ++heard_.events;
        output_.flush_if_large();
    }

    void lose(const Gap& gap) {
        if (gap.cause == Gap::Cause::bus_reopened) {
            complain("events may be missing: the bus was removed and opened anew");
            heard_.incomplete = true;
        }
        if (gap.missed == 0) return;
        print_losses();
        losses_ = losses_of(gap);
        heard_.lost += gap.missed;
    }

    // Those that no event follows yet.
    void print_losses() {
        if (losses_) lines_->append(output_.text(), Event(*losses_), 0);
        losses_.reset();
    }

    const Listening& what_;
    const Clock::time_point end_;
    Output output_;
    RemoteSession session_;
    remote::RemoteTypes types_;
    const std::unique_ptr<EventLines> lines_;
    std::optional<swb_event> losses_;  // to be told with the next event
    Heard heard_;
};

}  // namespace

Heard listen_at_gateway(const Listening& what) { return RemoteListening(what).listen(); }

}  // namespace swarmbus::tool
