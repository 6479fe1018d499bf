// Who may connect: by Host and Origin, against pages of other sites, and by token.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swarmbus::gateway {

// Tokens that are known, as their SHA-256. One line each: 64 hexadecimal digits and a name; '#' begins a comment.
class Tokens {
public:
    static Tokens from_text(std::string_view text);  // throws std::invalid_argument with the line
    static Tokens from_file(const std::string& path);

    // The name of who has the token. Takes as long for any token.
    std::optional<std::string> owner_of(std::string_view token) const;
    bool empty() const noexcept { return known_.empty(); }

private:
    struct Known {
        std::array<unsigned char, 32> hash;
        std::string name;
    };
    std::vector<Known> known_;
};

// A new token, and the line of the file that lets it in.
struct NewToken {
    std::string token, line;
};
NewToken make_token(const std::string& name);

class Access {
public:
    Access(std::string listen_host, std::vector<std::string> origins, std::vector<std::string> hosts, std::optional<Tokens> tokens)
        : listen_host_(std::move(listen_host)), origins_(std::move(origins)), hosts_(std::move(hosts)), tokens_(std::move(tokens)) {}

    // Whether a browser that thinks it talks to `host` talks to this gateway, and not to a name that somebody pointed here. Without a
    // Host it is no browser.
    bool allows_host(std::string_view host) const;
    // Whether a page of that origin may connect. Without an Origin it is no page.
    bool allows_origin(std::string_view origin, std::string_view host) const;
    bool needs_token() const noexcept { return tokens_.has_value(); }
    bool allows_token(std::string_view token) const { return !tokens_ || tokens_->owner_of(token).has_value(); }

private:
    std::string listen_host_;
    std::vector<std::string> origins_, hosts_;
    std::optional<Tokens> tokens_;
};

}  // namespace swarmbus::gateway
