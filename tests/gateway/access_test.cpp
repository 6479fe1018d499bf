// Who may connect, and where the gateway may listen.
#include <gtest/gtest.h>

#include "ws_gateway/server/access.hpp"
#include "ws_gateway/server/connections.hpp"
#include "ws_gateway/server/options.hpp"

namespace swarmbus::gateway {
namespace {

TEST(Hosts, are_addresses_loopback_names_and_those_that_were_allowed) {
    const Access access("127.0.0.1", {}, {"dash.example"}, std::nullopt);
    for (const char* host : {"", "localhost", "localhost:7480", "127.0.0.1:7480", "127.9.9.9", "[::1]:7480", "10.1.2.3:80", "dash.example",
                             "dash.example:443"}) {
        EXPECT_TRUE(access.allows_host(host)) << host;
    }
    for (const char* host :
         {"evil.example", "evil.example:7480", "localhost.evil.example", "127.0.0.1.evil.example", "[evil]:1", "dash.example.evil"}) {
        EXPECT_FALSE(access.allows_host(host)) << host;
    }
}

TEST(Origins, are_the_gateways_own_and_those_that_were_allowed) {
    const Access access("127.0.0.1", {"https://dash.example"}, {}, std::nullopt);
    EXPECT_TRUE(access.allows_origin("", "localhost:7480")) << "no browser";
    EXPECT_TRUE(access.allows_origin("http://localhost:7480", "localhost:7480"));
    EXPECT_TRUE(access.allows_origin("https://dash.example", "localhost:7480"));
    for (const char* origin :
         {"http://localhost:7481", "http://evil.example", "null", "https://dash.example.evil", "file://", "http://localhost"}) {
        EXPECT_FALSE(access.allows_origin(origin, "localhost:7480")) << origin;
    }
    EXPECT_FALSE(access.allows_origin("http://", ""));
}

TEST(Tokens, that_are_in_the_file_let_in_who_has_them) {
    const NewToken one = make_token("one"), two = make_token("two");
    EXPECT_EQ(one.token.size(), 64u);
    EXPECT_NE(one.token, two.token);
    const Tokens tokens = Tokens::from_text("# who may\n" + one.line + "\r\n\n" + two.line);
    EXPECT_EQ(tokens.owner_of(one.token), "one");
    EXPECT_EQ(tokens.owner_of(two.token), "two");
    EXPECT_FALSE(tokens.owner_of(""));
    EXPECT_FALSE(tokens.owner_of(one.token + "0"));
    EXPECT_EQ(one.line.find(one.token), std::string::npos) << "the file does not hold the token";
    const Access access("0.0.0.0", {}, {}, tokens);
    EXPECT_TRUE(access.needs_token());
    EXPECT_TRUE(access.allows_token(two.token));
    EXPECT_FALSE(access.allows_token("guess"));
}

TEST(Tokens, of_an_empty_file_let_nobody_in) {
    const Access access("0.0.0.0", {}, {}, Tokens::from_text("# nobody yet\n"));
    EXPECT_TRUE(access.needs_token());
    EXPECT_FALSE(access.allows_token(""));
}

TEST(Tokens, that_are_written_wrongly_are_named_by_their_line) {
    for (const char* text : {"# fine\nabc", "# fine\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0 x",
                             "# fine\n0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg x"}) {
        try {
            Tokens::from_text(text);
            ADD_FAILURE() << text;
        } catch (const std::invalid_argument& e) {
            EXPECT_NE(std::string(e.what()).find("line 2"), std::string::npos) << e.what();
        }
    }
    EXPECT_THROW(Tokens::from_file("/nothing/here"), std::invalid_argument);
}

TEST(Endpoints, have_a_host_in_numbers_and_a_port) {
    EXPECT_EQ(parse_endpoint("127.0.0.1:7480").port, 7480);
    EXPECT_EQ(parse_endpoint("[::1]:0").host, "::1");
    EXPECT_TRUE(is_loopback(parse_endpoint("localhost:1").host));
    EXPECT_TRUE(is_loopback(parse_endpoint("127.1.2.3:1").host));
    EXPECT_TRUE(is_loopback(parse_endpoint("[::1]:1").host));
    for (const char* text : {"0.0.0.0:1", "[::]:1", "192.168.1.1:1", "[fe80::1]:1"})
        EXPECT_FALSE(is_loopback(parse_endpoint(text).host)) << text;
    for (const char* text :
         {"", "7480", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:x", "127.0.0.1:80x", "some.name:80", ":80"}) {
        EXPECT_THROW(parse_endpoint(text), std::invalid_argument) << text;
    }
}

TEST(Options, that_open_the_gateway_to_other_machines_need_tokens_or_a_word) {
    GatewayOptions options;
    EXPECT_NO_THROW(check(options));
    options.listen = "0.0.0.0:7480";
    EXPECT_THROW(check(options), std::invalid_argument);
    options.token_file = "tokens";
    EXPECT_NO_THROW(check(options));
    options.token_file.clear();
    options.insecure = true;
    EXPECT_NO_THROW(check(options));
    options.follow = {"agent..x"};
    EXPECT_THROW(check(options), std::invalid_argument);
}

TEST(Connections, are_counted_in_all_and_by_address) {
    Connections connections(3, 2);
    const int a = 0, b = 0, c = 0;
    connections.add(&a, "1");
    connections.add(&b, "1");
    EXPECT_EQ(connections.room_for("1"), Connections::Room::address_has_its_share);
    EXPECT_EQ(connections.room_for("2"), Connections::Room::there_is);
    connections.add(&c, "2");
    EXPECT_EQ(connections.room_for("3"), Connections::Room::all_taken);
    connections.remove(&a);
    connections.remove(&a);
    EXPECT_EQ(connections.room_for("1"), Connections::Room::there_is);
    EXPECT_EQ(connections.size(), 2u);
}

TEST(Connections, of_other_machines_are_limited_without_being_told_and_those_of_this_one_are_not) {
    std::vector<char> each(2 * kMostPerOtherAddress);
    for (const char* address : {"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"}) {
        Connections connections(10'000, std::nullopt);
        for (std::size_t i = 0; i < kMostPerOtherAddress; ++i) {
            ASSERT_EQ(connections.room_for(address), Connections::Room::there_is) << address << " " << i;
            connections.add(&each[i], address);
        }
        EXPECT_EQ(connections.room_for(address), Connections::Room::address_has_its_share) << address;
        EXPECT_EQ(connections.room_for("192.0.2.2"), Connections::Room::there_is);
    }
    for (const char* address : {"127.0.0.1", "127.0.0.9", "::1", "::ffff:127.0.0.1"}) {
        Connections connections(10'000, std::nullopt);
        for (char& one : each) connections.add(&one, address);
        EXPECT_EQ(connections.room_for(address), Connections::Room::there_is) << address;
    }
}

}  // namespace
}  // namespace swarmbus::gateway
