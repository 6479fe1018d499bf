#include "demo.hpp"

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

#include "agent_processes.hpp"
#include "deaths.hpp"
#include "demo_bus.hpp"
#include "display.hpp"
#include "event_statistics.hpp"
#include "gateway_process.hpp"
#include "latest_events.hpp"
#include "output.hpp"
#include "report.hpp"
#include "signals.hpp"
#include "terminal.hpp"

namespace swarm {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// The viewer sleeps between its looks at the inbox instead of waking for every event.
constexpr auto kLook = 50ms;
constexpr auto kRedraw = 200ms;
constexpr auto kPlainLength = 30s;
constexpr auto kQueuePatience = 10s;
constexpr auto kEndPatience = 2s;
constexpr std::chrono::duration<double> kFirstKill = 2.5s;  // at the latest; not when a line is due
constexpr auto kLastKill = 2s;                              // before the end
constexpr auto kReturnPatience = 5s;

class Demo {
public:
    explicit Demo(const DemoOptions& options)
        : tool_(options.tool),
          length_(options.length),
          kill_every_(options.kill_every),
          bus_(options.bus),
          gateway_(options.gateway, bus_.name()),
          agents_(options.agent_folder, bus_.name(), bus_.made_here()) {
        bus_->subscribe("*");
        if (!options.plain && Terminal::usable()) terminal_.emplace();
        if (!terminal_ && !length_) length_ = kPlainLength;
    }

    int run() {
        if (!terminal_)
            print("bus " + bus_.name() + "; in another terminal: " + tool_ + " -b " + bus_.name() + " sub 'agent.*'\n" +
                  (gateway_.address().empty() ? "" : "in a browser: " + gateway_.address() + "\n"));
        start_agents();
        started_ = Clock::now();
        plan_deaths();
        while (!ended_ && !time_is_up()) turn();
        wait_for_return();
        return finish();
    }

private:
    void start_agents() {
        started_ = Clock::now();
        agents_.start(kRoster.front());
        while (!ended_ && statistics_.agent(kRoster.front().id) == nullptr) {
            look();
            if (agents_.running() == 0) throw std::runtime_error("agent queue did not start: " + agents_.printed());
            if (Clock::now() - started_ > kQueuePatience) throw std::runtime_error("agent queue does not answer");
        }
        for (auto spec = kRoster.begin() + 1; spec != kRoster.end() && !ended_; ++spec) agents_.start(*spec);
    }

    void plan_deaths() {
        if (!kill_every_) return;
        Deaths::Plan plan{.first = started_ + whole(std::min(*kill_every_, kFirstKill)), .every = whole(*kill_every_)};
        if (length_) plan.last = started_ + whole(*length_) - kLastKill;
        deaths_.emplace(agents_, statistics_, plan);
    }

    // The clock has no room for centuries.
    static Clock::duration whole(std::chrono::duration<double> time) {
        return std::chrono::duration_cast<Clock::duration>(std::min<std::chrono::duration<double>>(time, std::chrono::years(1)));
    }

    bool time_is_up() const { return length_ && Clock::now() - started_ >= *length_; }

    void turn() {
        look();
        const auto now = Clock::now();
        step_deaths(now);
        tell_unasked_ends();
        if (terminal_) {
            while (const char key = terminal_->key()) ended_ = ended_ || key == 'q';
            if (now >= next_picture_) show(now);
        } else if (now >= started_ + lines_ * 1s + 1s) {
            print(second_line(++lines_, now, statistics_, alive(agents_.all()), agents_.all().size(), toll()));
        }
    }

    void step_deaths(Clock::time_point now) {
        if (!deaths_ || !deaths_->turn(now)) return;
        const Death& death = *toll()->latest;
        if (terminal_) next_picture_ = {};
        else print("       " + told(death, agents_.all()[death.agent]) + "\n");
    }

    // Those that the demo has not killed.
    void tell_unasked_ends() {
        const auto& agents = agents_.all();
        told_ends_.resize(agents.size());
        for (std::size_t i = 0; i < agents.size(); ++i) {
            if (!agents[i].ended_unasked || told_ends_[i]) continue;
            told_ends_[i] = true;
            if (!terminal_) print("       " + told_end(agents[i]) + "\n");
        }
    }

    const DeathToll* toll() const { return deaths_ ? &deaths_->toll() : nullptr; }

    // One that is away at the end gets the time to come back, unless the demo is asked to end once more.
    void wait_for_return() {
        if (!deaths_) return;
        deaths_->hurry();
        const auto deadline = Clock::now() + kReturnPatience;
        for (ended_ = false; !ended_ && deaths_->may_come_back() && Clock::now() < deadline;) turn();
    }

    // Waits a moment; then takes in all that has happened.
    void look() {
        const int signal = wait_for_signal(kLook);
        take_events();
        // Signals first: what ends the demo may have ended agents, too.
        if (asks_to_end(signal)) ended_ = true;
        else agents_.watch();
        agents_.printed();  // so that their pipe never fills
        if (asks_to_stop(signal)) stop();
        if (tells_new_size(signal)) next_picture_ = {};
    }

    void take_events() {
        const auto now = Clock::now();
        for (;;) {
            const auto events = bus_->next_batch(512, 0ns);
            if (events.empty()) return;
            for (const swarmbus::Event& event : events) {
                statistics_.record(event, now);
                if (terminal_ && event && !is_of_the_bus(event)) latest_.offer(event);
            }
        }
    }

    // As JSON; as the bytes they are, if somebody has published what is none and can't be made JSON.
    std::string payload_text(const swarmbus::Event& event) {
        try {
            return bus_->to_json(event);
        } catch (const swarmbus::Error&) {
            return std::string(event.text());
        }
    }

    void show(Clock::time_point now) {
        next_picture_ = now + kRedraw;
        latest_.turn();
        const auto [rows, columns] = terminal_->size();
        const Scene scene{bus_.name(), tool_, gateway_.address(), started_, now, statistics_, latest_, agents_.all(), toll()};
        if (terminal_->show(draw(scene, rows, columns)) == Written::gone) ended_ = true;
    }

    void print(const std::string& text) {
        if (write_output(text) == Written::gone) ended_ = true;
    }

    void stop() {
        if (terminal_) terminal_->leave();
        stop_until_continued();
        if (terminal_) terminal_->enter();
        next_picture_ = {};
    }

    int finish() {
        const auto length = Clock::now() - started_;
        const std::size_t alive_at_end = alive(agents_.all());
        agents_.end(kEndPatience);
        take_events();
        terminal_.reset();
        std::fputs(agents_.printed().c_str(), stderr);
        print(summary(statistics_, {length, alive_at_end, agents_.all(), toll()}));
        const bool all_back = !deaths_ || !toll()->any_away();
        return all_back && !agents_.any_ended_unasked() && statistics_.total() > 0 ? 0 : 1;
    }

    const std::string tool_;
    std::optional<std::chrono::duration<double>> length_, kill_every_;
    std::vector<bool> told_ends_;  // by agent: that it ended unasked
    EventStatistics statistics_;
    LatestEvents latest_{2, [this](const swarmbus::Event& event) { return payload_text(event); }};
    Clock::time_point started_, next_picture_;
    unsigned lines_ = 0;  // of plain output
    bool ended_ = false;
    // Undone in the opposite order: the terminal restored, the agents and the gateway ended, the bus removed.
    DemoBus bus_;
    GatewayProcess gateway_;
    AgentProcesses agents_;
    std::optional<Deaths> deaths_;
    std::optional<Terminal> terminal_;
};

}  // namespace

int run_demo(const DemoOptions& options) {
    hold_signals();
    return Demo(options).run();
}

}  // namespace swarm
