// Where a gateway is.
#include <gtest/gtest.h>

#include "ws_gateway/client/gateway_url.hpp"

namespace swarmbus::remote {
namespace {

std::string refusal_of(const std::string& text) {
    try {
        parse_gateway_url(text);
    } catch (const std::invalid_argument& e) {
        return e.what();
    }
    return "none";
}

TEST(ClientUrl, has_host_port_and_path) {
    const GatewayUrl url = parse_gateway_url("ws://bus.example:7480/behind/a/proxy/");
    EXPECT_EQ(url.host, "bus.example");
    EXPECT_EQ(url.port, 7480);
    EXPECT_EQ(url.path, "/behind/a/proxy");
    EXPECT_EQ(url.text(), "ws://bus.example:7480/behind/a/proxy");
}

TEST(ClientUrl, has_port_80_unless_told) {
    EXPECT_EQ(parse_gateway_url("ws://bus.example").port, 80);
    EXPECT_EQ(parse_gateway_url("ws://[::1]").port, 80);
}

TEST(ClientUrl, has_brackets_around_ipv6) {
    const GatewayUrl url = parse_gateway_url("ws://[fe80::1]:7480");
    EXPECT_EQ(url.host, "fe80::1");
    EXPECT_EQ(url.authority(), "[fe80::1]:7480");
    EXPECT_NE(refusal_of("ws://::1:7480"), "none");
}

TEST(ClientUrl, says_that_there_is_no_tls) {
    EXPECT_NE(refusal_of("wss://bus.example").find("TLS"), std::string::npos);
    EXPECT_NE(refusal_of("https://bus.example").find("TLS"), std::string::npos);
}

TEST(ClientUrl, has_no_token_and_does_not_repeat_one) {
    EXPECT_NE(refusal_of("ws://secret@bus.example"), "none");
    EXPECT_EQ(refusal_of("ws://secret@bus.example").find("secret"), std::string::npos);
    EXPECT_NE(refusal_of("ws://bus.example?token=secret"), "none");
}

TEST(ClientUrl, refuses_what_is_none) {
    for (const char* text : {"", "bus.example:7480", "http://bus.example", "ws://", "ws://:7480", "ws://h:0", "ws://h:65536", "ws://h:x",
                             "ws://[::1", "ws://[::1]x:1", "ws://h\r\nX: y", "ws://h /"})
        EXPECT_NE(refusal_of(text), "none") << text;
}

}  // namespace
}  // namespace swarmbus::remote
