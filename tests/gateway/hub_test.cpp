// What clients get, and when: a real bus, transports that only remember.
#include <unistd.h>

#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

#include "tests/gateway/gateway_fixture.hpp"

#include "ws_gateway/delivery/hub.hpp"
#include "ws_gateway/messages/event_json.hpp"
#include "ws_gateway/messages/json_messages.hpp"

namespace swarmbus::gateway {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

class RememberingTransport final : public Transport {
public:
    std::string_view name() const noexcept override { return "remembering"; }
    bool is_writable(const Client&) const override { return writable; }
    void send(Client& client, OutgoingMessage& message) override {
        sent[&client].push_back(json::parse(std::string_view(message.data(), message.size())));
    }
    void heartbeat(Client&, std::optional<Cursor>) override {}
    void error(Client&, const ErrorMessage&) override {}
    void shut_down(Client&, const ByeMessage&) override {}

    // What a client was sent since the last call.
    std::vector<json> taken(const Client& client) { return std::exchange(sent[&client], {}); }

    bool writable = true;
    std::map<const Client*, std::vector<json>> sent;
};

class CountingListener final : public DeliveryListener {
public:
    void delivered(const Client&, std::uint64_t count, std::size_t, std::uint64_t) override { events += count; }
    void coalesced(std::uint64_t) override {}
    void missed(const Client&, std::uint64_t count) override { missed_events += count; }
    std::uint64_t events = 0, missed_events = 0;
};

class HubTest : public testing::Test {
protected:
    static constexpr std::uint64_t kEpoch = 0x9f86d081884c7d65;
    static inline int number = 0;

    HubTest() : name_("hub-" + std::to_string(::getpid()) + "-" + std::to_string(++number)), bus_(name_) {}
    ~HubTest() override { swb_remove(name_.c_str(), 1); }

    // Publishes, and has the gateway do all that is due.
    void publish(const char* type, const char* subject = "", std::string_view payload = "x") {
        Message message;
        message.subject = subject;
        message.payload = as_payload(payload);
        message.encoding = Encoding::text;
        publisher_.publish(type, message);
        run();
    }
    void run() {
        while (feed_.take(1000) > 0) {}
        do hub_.pump(now_);
        while (hub_.has_more());
    }
    // What the gateway's inbox is subscribed to.
    std::set<std::string> patterns_on_bus() const {
        std::set<std::string> patterns;
        const auto add = [](const swb_participant* participant, void* user) {
            std::istringstream words(participant->patterns);
            for (std::string word; words >> word;) static_cast<std::set<std::string>*>(user)->insert(word);
        };
        EXPECT_EQ(swb_participants(name_.c_str(), add, &patterns), SWB_OK);
        return patterns;
    }
    std::unique_ptr<Client> client() { return std::make_unique<Client>(transport_, form_, now_); }
    SubscribedMessage subscribe(Client& client, Patterns patterns, std::optional<Cursor> since = {}) {
        return hub_.subscribe(
            client, {.patterns = std::move(patterns), .since = since, .snapshot = false, .batch = {}, .coalesce = {}, .max_rate = {}},
            now_);
    }
    // The subjects of the events, or "op" of other messages.
    static std::vector<std::string> summary(const std::vector<json>& messages) {
        std::vector<std::string> found;
        for (const json& message : messages) {
            if (message["op"] != "events") found.push_back(message["op"]);
            if (!message.contains("events")) continue;
            for (const json& event : message["events"]) found.push_back(event["subject"]);
        }
        return found;
    }
    std::vector<std::string> got(const Client& client) { return summary(transport_.taken(client)); }

    std::string name_;
    Bus bus_;
    Bus publisher_{name_};
    JsonEvents json_{[](const swb_event&, std::string&) { return false; }};
    VisibleEvents other_;
    Encoders encoders_{&json_, &other_, &other_};
    Journal journal_{kEpoch, std::size_t{1} << 20, encoders_};
    Latest latest_{journal_, std::size_t{1} << 20};
    Feed feed_{bus_, journal_, {}};
    CountingListener listener_;
    Hub hub_{journal_, latest_, feed_, encoders_, std::size_t{64} << 10, listener_};
    RememberingTransport transport_;
    JsonMessages form_;
    Clock::time_point now_ = Clock::now();
};

using Words = std::vector<std::string>;

TEST_F(HubTest, brings_what_matches_from_the_moment_of_subscribing) {
    const auto early = client(), late = client();
    subscribe(*early, {"a.*"});
    publish("a.b", "1");
    EXPECT_EQ(subscribe(*late, {"a.b"}).resume, Resume::live);
    publish("a.b", "2");
    publish("a.c", "3");
    publish("b.c", "4");
    EXPECT_EQ(got(*early), (Words{"1", "2", "3"}));
    EXPECT_EQ(got(*late), (Words{"2"}));
    EXPECT_EQ(listener_.events, 4u);
}

TEST_F(HubTest, brings_one_who_comes_back_exactly_what_was_missed) {
    Cursor cursor;
    {
        const auto first = client();
        cursor = *subscribe(*first, {"a.*"}).cursor;
        EXPECT_EQ(cursor, (Cursor{kEpoch, 0})) << "before it has seen any event";
        publish("a.b", "1");
        cursor = *parse_cursor(transport_.taken(*first).back()["cursor"].get<std::string>());
        hub_.forget(*first, now_);
    }
    publish("a.b", "2");
    publish("a.b", "3");
    const auto second = client(), unseen = client();
    EXPECT_EQ(subscribe(*second, {"a.*"}, cursor).resume, Resume::recovered);
    EXPECT_EQ(subscribe(*unseen, {"a.*"}, Cursor{kEpoch, 0}).resume, Resume::recovered);
    publish("a.b", "4");
    EXPECT_EQ(got(*second), (Words{"2", "3", "4"}));
    EXPECT_EQ(got(*unseen), (Words{"1", "2", "3", "4"}));
}

TEST_F(HubTest, resets_one_whose_cursor_is_not_good_any_more_and_gives_the_last_events) {
    const auto witness = client();
    subscribe(*witness, {"a.*"});
    publish("a.b", "old");
    publish("a.b", "old");
    publish("b.b", "unheard");
    const std::string large(100'000, 'x');
    const std::uint64_t before = journal_.last();
    for (int i = 0; i < 20; ++i) publish("a.filler", "filler", large);
    ASSERT_GT(journal_.first(), before);
    publish("a.filler", "filler");
    const auto expect_reset = [&](Cursor since, Patterns patterns, ResetReason reason) {
        Client back(transport_, form_, now_);
        const SubscribedMessage answer = subscribe(back, std::move(patterns), since);
        EXPECT_EQ(answer.resume, Resume::reset);
        EXPECT_EQ(answer.reason, reason) << name_of(answer.reason);
        EXPECT_FALSE(answer.cursor) << "nobody can come back to a snapshot that has not come";
        publish("a.b", "new");
        const auto messages = transport_.taken(back);
        EXPECT_EQ(messages.front()["cursor"], text_of(journal_.cursor_at(journal_.last() - 1)));
        const Words words = summary(messages);
        EXPECT_EQ(std::set<std::string>(words.begin(), words.end()), (std::set<std::string>{"snapshot", "old", "filler", "new"}))
            << name_of(reason);
        EXPECT_EQ(words.front(), "snapshot");
        EXPECT_EQ(words.back(), "new");
        hub_.forget(back, now_);
        transport_.sent.clear();
    };
    expect_reset({kEpoch + 1, journal_.last()}, {"a.b", "a.filler"}, ResetReason::epoch);
    expect_reset({kEpoch, journal_.last() + 1}, {"a.*"}, ResetReason::ahead);
    expect_reset({kEpoch, before}, {"a.*"}, ResetReason::expired);
    expect_reset({kEpoch, journal_.last()}, {"a.*", "b.*"}, ResetReason::uncovered);
}

TEST_F(HubTest, gives_snapshot_and_events_that_are_everything_once) {
    const auto witness = client();
    subscribe(*witness, {"a.*"});
    for (int i = 0; i < 100; ++i) publish("a.b", std::to_string(i).c_str(), std::string(2000, 'x'));
    const auto late = client();
    hub_.subscribe(*late, {.patterns = {"a.*"}, .since = {}, .snapshot = true, .batch = {}, .coalesce = {}, .max_rate = {}}, now_);
    for (int i = 100; i < 200; ++i) publish("a.b", std::to_string(i).c_str());
    auto messages = transport_.taken(*late);
    EXPECT_EQ(messages.front()["complete"], false) << "nobody followed it from the start";
    EXPECT_EQ(messages.front()["more"], true);
    EXPECT_FALSE(messages.front().contains("cursor")) << "it can't come back to a part";
    Words expected;
    for (int i = 0; i < 200; ++i) expected.push_back(std::to_string(i));
    Words found;
    for (const std::string& word : summary(messages)) {
        if (word != "snapshot") found.push_back(word);
    }
    EXPECT_EQ(found, expected);
}

TEST_F(HubTest, tells_one_who_does_not_read_what_it_missed_and_nobody_else) {
    const auto slow = client(), quick = client();
    RememberingTransport stuck;
    Client slow_client(stuck, form_, now_);
    subscribe(slow_client, {"a.*"});
    subscribe(*quick, {"a.*"});
    publish("a.b", "first");
    stuck.writable = false;
    const std::string large(100'000, 'x');
    for (int i = 0; i < 30; ++i) publish("a.b", "large", large);
    publish("a.b", "last");
    EXPECT_EQ(got(*quick).size(), 32u);
    EXPECT_EQ(summary(stuck.taken(slow_client)), (Words{"first"}));
    stuck.writable = true;
    hub_.writable(slow_client, now_);
    run();
    const auto messages = stuck.taken(slow_client);
    EXPECT_EQ(messages.front()["op"], "gap");
    EXPECT_EQ(messages.front()["cause"], "slow");
    const Words words = summary(messages);
    EXPECT_EQ(messages.front()["missed"].get<std::size_t>() + words.size() - 1, 31u);
    EXPECT_EQ(words.back(), "last");
    EXPECT_EQ(listener_.missed_events, messages.front()["missed"].get<std::uint64_t>());
}

TEST_F(HubTest, tells_everybody_what_the_bus_lost) {
    const auto one = client();
    subscribe(*one, {"a.*"});
    BusLoss loss;
    loss.by_cause[SWB_LOSS_EVICTED] = 12;
    journal_.append(loss);
    publish("a.b", "1");
    const auto messages = transport_.taken(*one);
    ASSERT_EQ(messages.size(), 2u);
    EXPECT_EQ(messages[0]["op"], "gap");
    EXPECT_EQ(messages[0]["cause"], "bus");
    EXPECT_EQ(messages[0]["missed"], 12);
    EXPECT_EQ(messages[0]["lost_by"], (json{{"evicted", 12}}));
}

TEST_F(HubTest, sends_the_first_event_at_once_and_gathers_those_that_follow) {
    const auto one = client();
    hub_.subscribe(*one, {.patterns = {"*"}, .since = {}, .snapshot = false, .batch = 100ms, .coalesce = {}, .max_rate = {}}, now_);
    publish("a.b", "1");
    EXPECT_EQ(got(*one), (Words{"1"}));
    publish("a.b", "2");
    now_ += 99ms;
    publish("a.b", "3");
    EXPECT_EQ(got(*one), (Words{}));
    EXPECT_EQ(hub_.next_due(), now_ + 1ms);
    now_ += 1ms;
    run();
    const auto messages = transport_.taken(*one);
    EXPECT_EQ(messages.size(), 1u) << "one message";
    EXPECT_EQ(summary(messages), (Words{"2", "3"}));
    now_ += 100ms;
    publish("a.b", "4");
    EXPECT_EQ(got(*one), (Words{"4"}));
}

TEST_F(HubTest, has_nobody_eager_while_all_gather_or_wait_for_their_sockets) {
    EXPECT_FALSE(hub_.is_anyone_eager()) << "nobody is there";
    const auto gathering = client();
    gathering->batch = 100ms;
    subscribe(*gathering, {"a.*"});
    EXPECT_TRUE(hub_.is_anyone_eager()) << "its first event goes out at once";
    publish("a.b", "1");
    publish("a.b", "2");
    EXPECT_FALSE(hub_.is_anyone_eager());
    const auto other = client();
    subscribe(*other, {"b.*"});
    publish("a.b", "3");
    EXPECT_TRUE(hub_.is_anyone_eager()) << "the other one waits for nothing but events";
    transport_.writable = false;
    publish("b.c", "4");
    EXPECT_FALSE(hub_.is_anyone_eager());
    transport_.writable = true;
    hub_.writable(*other, now_);
    EXPECT_TRUE(hub_.is_anyone_eager());
    EXPECT_EQ(got(*other), (Words{"4"}));
}

TEST_F(HubTest, sends_a_full_message_before_the_time) {
    const auto one = client();
    hub_.subscribe(*one, {.patterns = {"*"}, .since = {}, .snapshot = false, .batch = 100ms, .coalesce = {}, .max_rate = {}}, now_);
    publish("a.b", "1");
    transport_.taken(*one);
    const std::string large(20'000, 'x');
    for (int i = 0; i < 3; ++i) publish("a.b", "large", large);
    EXPECT_EQ(got(*one), (Words{}));
    publish("a.b", "large", large);
    EXPECT_EQ(got(*one).size(), 4u);
}

TEST_F(HubTest, forgets_one_that_waits_although_a_full_message_went_out_before_the_time) {
    {
        const auto one = client();
        hub_.subscribe(*one, {.patterns = {"*"}, .since = {}, .snapshot = false, .batch = 100ms, .coalesce = {}, .max_rate = {}}, now_);
        publish("a.b", "1");
        for (int i = 0; i < 20; ++i) publish("a.b", "2", std::string(5'000, 'x'));
        hub_.forget(*one, now_);
    }
    EXPECT_FALSE(hub_.next_due());
    hub_.flush(now_);
}

TEST_F(HubTest, flushes_also_one_that_may_have_no_more_for_now) {
    const auto one = client();
    hub_.subscribe(*one, {.patterns = {"*"}, .since = {}, .snapshot = false, .batch = {}, .coalesce = {}, .max_rate = 1}, now_);
    publish("a.b", "1");
    publish("a.b", "2");
    hub_.flush(now_);
    EXPECT_EQ(got(*one), (Words{"1"}));
}

TEST_F(HubTest, tells_one_what_it_missed_although_it_asks_for_more_in_between) {
    const auto one = client();
    subscribe(*one, {"a.*"});
    transport_.writable = false;
    for (int i = 0; i < 3'000; ++i) publish("a.b", "1", std::string(1'000, 'x'));
    subscribe(*one, {"c.*"});
    transport_.writable = true;
    hub_.writable(*one, now_);
    run();
    const std::vector<json> messages = transport_.taken(*one);
    ASSERT_EQ(messages.front()["op"], "gap");
    std::size_t events = 0;
    for (const json& message : messages) events += message.contains("events") ? message["events"].size() : 0;
    EXPECT_EQ(messages.front()["missed"].get<std::size_t>() + events, 3'000u);
}

TEST_F(HubTest, leaves_out_what_a_later_event_replaces_if_asked_to) {
    const auto one = client();
    hub_.subscribe(*one, {.patterns = {"*"}, .since = {}, .snapshot = false, .batch = 100ms, .coalesce = true, .max_rate = {}}, now_);
    for (const char* subject : {"1", "2", "3", "2", "3"}) publish("a.b", subject);
    EXPECT_EQ(got(*one), (Words{"1"}));
    hub_.flush(now_);
    EXPECT_EQ(got(*one), (Words{"2", "3"}));
}

TEST_F(HubTest, sends_no_more_a_second_than_a_client_asked_for_and_loses_nothing) {
    const auto one = client();
    hub_.subscribe(*one, {.patterns = {"*"}, .since = {}, .snapshot = false, .batch = {}, .coalesce = {}, .max_rate = 10}, now_);
    for (int i = 0; i < 25; ++i) publish("a.b", std::to_string(i).c_str());
    EXPECT_EQ(got(*one).size(), 10u);
    for (int tenths = 1; tenths <= 15; ++tenths) {
        ASSERT_TRUE(hub_.next_due());
        now_ = std::max(now_, *hub_.next_due());
        run();
        EXPECT_EQ(got(*one), Words{std::to_string(9 + tenths)});
    }
    EXPECT_FALSE(hub_.next_due());
}

TEST_F(HubTest, encodes_once_what_many_get) {
    const auto one = client(), two = client();
    subscribe(*one, {"*"});
    subscribe(*two, {"*"});
    publish("a.b", "1");
    EXPECT_EQ(transport_.taken(*one), transport_.taken(*two));
}

TEST_F(HubTest, brings_what_is_added_and_no_longer_what_is_taken_away) {
    const auto one = client();
    subscribe(*one, {"a.b"});
    EXPECT_EQ(subscribe(*one, {"a.c"}).patterns, (Patterns{"a.b", "a.c"}));
    publish("a.b", "1");
    publish("a.c", "2");
    EXPECT_EQ(hub_.unsubscribe(*one, {"a.b", "never.asked.for"}, now_).patterns, (Patterns{"a.c"}));
    publish("a.b", "3");
    publish("a.c", "4");
    EXPECT_EQ(got(*one), (Words{"1", "2", "4"}));
}

TEST_F(HubTest, follows_a_pattern_for_a_while_after_its_last_client) {
    const auto one = client();
    subscribe(*one, {"a.*"});
    hub_.forget(*one, now_);
    feed_.expire(now_ + 4min);
    publish("a.b");
    EXPECT_EQ(journal_.last(), 1u);
    feed_.expire(now_ + 6min);
    publish("a.b");
    EXPECT_EQ(journal_.last(), 1u);
    EXPECT_FALSE(feed_.followed_since("a.*"));
}

TEST_F(HubTest, asks_the_bus_for_nothing_that_a_wider_pattern_brings_already) {
    const auto narrow = client(), wide = client();
    subscribe(*narrow, {"a.b", "bus.*"});
    subscribe(*wide, {"*"});
    EXPECT_EQ(patterns_on_bus(), (std::set<std::string>{"*", "bus.*"}));
    publish("a.b", "1");
    publish("c.d", "2");
    EXPECT_EQ(got(*narrow), (Words{"1"}));
    EXPECT_EQ(got(*wide), (Words{"1", "2"}));
    hub_.forget(*wide, now_);
    feed_.expire(now_ + 6min);
    EXPECT_EQ(patterns_on_bus(), (std::set<std::string>{"a.b", "bus.*"}));
    publish("a.b", "3");
    EXPECT_EQ(got(*narrow), (Words{"3"}));
}

TEST_F(HubTest, resumes_nobody_from_before_a_pattern_was_followed_anew) {
    const auto first = client();
    const Cursor cursor = *subscribe(*first, {"a.*"}).cursor;
    hub_.forget(*first, now_);
    feed_.expire(now_ + 6min);
    publish("a.b", "unheard");
    const auto second = client(), third = client(), back = client();
    const Cursor fresh = *subscribe(*second, {"a.*"}).cursor;
    EXPECT_EQ(subscribe(*back, {"a.*"}, cursor).reason, ResetReason::uncovered);
    EXPECT_EQ(subscribe(*third, {"a.*"}, fresh).resume, Resume::recovered) << "it has seen no event yet";
    publish("a.b", "1");
    EXPECT_EQ(got(*second), (Words{"1"}));
    EXPECT_EQ(got(*third), (Words{"1"}));
}

TEST_F(HubTest, follows_no_more_patterns_than_it_can_and_makes_room_by_those_that_nobody_wants) {
    Feed feed(bus_, journal_, {.patterns = 3});
    feed.follow("a.one");
    feed.follow("a.two");
    feed.follow("a.three");
    EXPECT_THROW(feed.follow("a.four"), Error);
    feed.follow("a.two");
    feed.leave("a.three", now_ + 1s);
    feed.leave("a.one", now_);
    feed.follow("a.four");
    EXPECT_FALSE(feed.followed_since("a.one")) << "left first";
    EXPECT_TRUE(feed.followed_since("a.three"));
}

TEST_F(HubTest, follows_wider_patterns_when_there_are_too_many_for_an_inbox) {
    std::vector<std::unique_ptr<Client>> clients;
    for (int i = 0; i < 200; ++i) {
        clients.push_back(client());
        subscribe(*clients.back(), {"some.type.that.is.long.n" + std::to_string(i), "bus.never"});
        publish(("some.type.that.is.long.n" + std::to_string(i)).c_str(), std::to_string(i).c_str());
    }
    publish("some.type.that.is.long.n0", "again");
    EXPECT_EQ(got(*clients[0]), (Words{"0", "again"}));
    for (int i = 1; i < 200; ++i) EXPECT_EQ(got(*clients[i]), (Words{std::to_string(i)}));
    for (const auto& one : clients) hub_.forget(*one, now_);
    feed_.expire(now_ + 6min);
    EXPECT_FALSE(feed_.is_subscribed());
}

}  // namespace
}  // namespace swarmbus::gateway
