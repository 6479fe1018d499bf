#include "ws_gateway/server/access.hpp"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace swarmbus::gateway {
namespace {

constexpr std::size_t kTokenBytes = 32;

std::array<unsigned char, 32> hash_of(std::string_view token) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash;
    ::SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), hash.data());
    return hash;
}

template <typename Bytes>
std::string hexadecimal(const Bytes& bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (const unsigned char byte : bytes) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

int value_of(char digit) noexcept {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

// "[::1]:80" and "localhost:80" without their port and brackets.
std::string name_in(std::string_view host) {
    if (host.starts_with('[')) return std::string(host.substr(1, host.find(']') - 1));
    return std::string(host.substr(0, host.rfind(':')));
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_address(const std::string& name) {
    unsigned char bytes[sizeof(in6_addr)];
    return ::inet_pton(AF_INET, name.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, name.c_str(), bytes) == 1;
}

}  // namespace

Tokens Tokens::from_text(std::string_view text) {
    Tokens tokens;
    std::size_t number = 0;
    while (!text.empty()) {
        ++number;
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.empty() || line.front() == '#') continue;
        Known known;
        const auto digit = [&](std::size_t at) { return at < line.size() ? value_of(line[at]) : -1; };
        for (std::size_t i = 0; i < known.hash.size(); ++i) {
            const int high = digit(2 * i), low = digit(2 * i + 1);
            if (high < 0 || low < 0)
                throw std::invalid_argument("line " + std::to_string(number) + " does not begin with 64 hexadecimal digits");
            known.hash[i] = static_cast<unsigned char>(high * 16 + low);
        }
        const std::string_view rest = line.substr(2 * known.hash.size());
        if (!rest.empty() && rest.front() != ' ')
            throw std::invalid_argument("line " + std::to_string(number) + " has more than 64 hexadecimal digits in front of a name");
        known.name = rest.empty() ? std::string() : std::string(rest.substr(1));
        tokens.known_.push_back(std::move(known));
    }
    return tokens;
}

Tokens Tokens::from_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file.is_open() || file.bad()) throw std::invalid_argument("--tokens: '" + path + "' can't be read");
    try {
        return from_text(text);
    } catch (const std::invalid_argument& e) {
        throw std::invalid_argument("--tokens: '" + path + "': " + e.what());
    }
}

std::optional<std::string> Tokens::owner_of(std::string_view token) const {
    const auto hash = hash_of(token);
    const Known* owner = nullptr;
    for (const Known& known : known_) {
        if (::CRYPTO_memcmp(known.hash.data(), hash.data(), hash.size()) == 0) owner = &known;
    }
    return owner != nullptr ? std::make_optional(owner->name) : std::nullopt;
}

NewToken make_token(const std::string& name) {
    std::array<unsigned char, kTokenBytes> bytes;
    if (::RAND_bytes(bytes.data(), bytes.size()) != 1) throw std::runtime_error("there are no random numbers");
    const std::string token = hexadecimal(bytes);
    return {token, hexadecimal(hash_of(token)) + " " + name};
}

bool Access::allows_host(std::string_view host) const {
    if (host.empty()) return true;
    std::string name = name_in(host);
    std::ranges::transform(name, name.begin(), lower);
    // An address is what it says; a name is what somebody's name server says.
    if (name == "localhost" || name == listen_host_ || is_address(name)) return true;
    return std::ranges::any_of(hosts_, [&](const std::string& allowed) { return std::ranges::equal(allowed, name, {}, lower); });
}

bool Access::allows_origin(std::string_view origin, std::string_view host) const {
    if (origin.empty()) return true;
    if (!host.empty() && (origin == "http://" + std::string(host) || origin == "https://" + std::string(host))) return true;
    return std::ranges::find(origins_, origin) != origins_.end();
}

}  // namespace swarmbus::gateway
