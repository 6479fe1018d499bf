#include "src/types/registrations.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "src/error.hpp"
#include "src/segment/memory.hpp"
#include "src/words/table_words.hpp"

namespace swarmbus::core {

namespace {

constexpr std::uint64_t kBytesAt = (SWB_REGISTRATIONS * sizeof(swb_l_registration) + SWB_PAGE - 1) / SWB_PAGE * SWB_PAGE;

Error damaged(const Segment& segment) {
    return Error(SWB_ERR_NOT_A_BUS, "the schemas of bus '" + segment.name() +
                                        "' are damaged; end its users and remove it with 'swarmbus rm " + segment.name() + "'");
}

int descriptor(const Segment& segment) {
    const int fd = segment.fd();
    if (fd < 0) throw Error(SWB_ERR_GONE, "this program has closed the descriptor of bus '" + segment.name() + "'");
    return fd;
}

void read(const Segment& segment, void* into, std::size_t bytes, std::uint64_t at) {
    const ssize_t got = ::pread(descriptor(segment), into, bytes, static_cast<off_t>(segment.plan().schemas_at + at));
    if (got < 0) throw system_error(SWB_ERR_SYSTEM, "reading the schemas of bus '" + segment.name() + "'", errno);
    if (static_cast<std::size_t>(got) != bytes) throw damaged(segment);
}

// Memory first: a full /dev/shm is then an error before anything is written.
void write(Segment& segment, const void* from, std::size_t bytes, std::uint64_t at, const char* what) {
    const int fd = descriptor(segment);
    const std::uint64_t begin = segment.plan().schemas_at + at;
    const std::uint64_t first_page = begin / SWB_PAGE * SWB_PAGE;
    const std::uint64_t pages = to_pages(begin + bytes - first_page);
    if (const int error = allocate_memory(fd, first_page, pages)) throw no_space(fd, pages, what, error);
    if (::pwrite(fd, from, bytes, static_cast<off_t>(begin)) != static_cast<ssize_t>(bytes)) {
        throw system_error(SWB_ERR_SYSTEM, "writing the schemas of bus '" + segment.name() + "'", errno);
    }
}

bool copy_name(char (&into)[SWB_NAME_BYTES], const std::string& name) noexcept {
    if (name.size() >= sizeof into) return false;
    std::memcpy(into, name.data(), name.size());
    return true;
}

}  // namespace

std::uint32_t count_registrations(const Segment& segment) noexcept {
    return std::min(words::load_published(segment.header().registrations), SWB_REGISTRATIONS);
}

std::vector<Registration> read_registrations(const Segment& segment, std::uint32_t first) {
    const std::uint32_t count = count_registrations(segment);
    if (count <= first) return {};
    std::vector<swb_l_registration> entries(count - first);
    read(segment, entries.data(), entries.size() * sizeof entries[0], first * sizeof entries[0]);
    std::vector<Registration> registrations;
    for (const swb_l_registration& entry : entries) {
        const bool ended = entry.type[SWB_NAME_BYTES - 1] == '\0' && entry.root[SWB_NAME_BYTES - 1] == '\0';
        if (!ended || entry.at > SWB_SCHEMAS_BYTES || entry.bytes > SWB_SCHEMAS_BYTES - entry.at) throw damaged(segment);
        registrations.push_back({entry.type, entry.root, entry.hash, entry.at, entry.bytes, entry.version, entry.registered_ns});
    }
    return registrations;
}

std::vector<std::byte> read_schema(const Segment& segment, const Registration& registration) {
    std::vector<std::byte> binary(registration.bytes);
    read(segment, binary.data(), binary.size(), kBytesAt + registration.at);
    return binary;
}

Registration append_registration(Segment& segment, std::span<const Registration> known, Registration fresh,
                                 std::span<const std::byte> binary) {
    if (known.size() >= SWB_REGISTRATIONS) {
        throw Error(SWB_ERR_SCHEMAS_FULL, "bus '" + segment.name() + "' has " + std::to_string(SWB_REGISTRATIONS) +
                                              " registered schemas, which is all it can have");
    }
    swb_l_registration entry{};
    if (!copy_name(entry.type, fresh.type) || !copy_name(entry.root, fresh.root)) {
        throw Error(SWB_ERR_SCHEMA, "schema: the name of the root table, " + fresh.root + ", is longer than " +
                                        std::to_string(SWB_NAME_BYTES - 1) + " bytes");
    }
    std::uint64_t end = 0;
    bool stored = false;
    for (const Registration& other : known) {
        end = std::max(end, other.at + other.bytes);
        if (!stored && other.bytes == binary.size() && std::ranges::equal(read_schema(segment, other), binary)) {
            fresh.at = other.at;
            stored = true;
        }
    }
    fresh.bytes = static_cast<std::uint32_t>(binary.size());
    if (!stored) {
        fresh.at = (end + 7) / 8 * 8;
        if (fresh.at > SWB_SCHEMAS_BYTES || binary.size() > SWB_SCHEMAS_BYTES - fresh.at) {
            throw Error(SWB_ERR_SCHEMAS_FULL, "the schemas of bus '" + segment.name() + "' take " + mebibytes(fresh.at) + " of " +
                                                  mebibytes(SWB_SCHEMAS_BYTES) + "; another " + std::to_string(binary.size()) +
                                                  " bytes do not fit");
        }
    }
    entry.hash = fresh.hash;
    entry.at = fresh.at;
    entry.bytes = fresh.bytes;
    entry.version = fresh.version;
    entry.registered_ns = fresh.registered_ns;
    try {
        if (!stored) write(segment, binary.data(), binary.size(), kBytesAt + fresh.at, "a schema");
        write(segment, &entry, sizeof entry, known.size() * sizeof entry, "a registration");
    } catch (const Error&) {
        free_unregistered(segment);
        throw;
    }
    words::store_published(segment.header().registrations, static_cast<std::uint32_t>(known.size() + 1));
    return fresh;
}

void free_unregistered(Segment& segment) noexcept {
    try {
        const std::vector<Registration> all = read_registrations(segment, 0);
        std::uint64_t end = 0;
        for (const Registration& registration : all) end = std::max(end, registration.at + registration.bytes);
        const auto free = [&](std::uint64_t from, std::uint64_t to) {
            if (from < to) give_memory_back(descriptor(segment), segment.plan().schemas_at + from, to - from);
        };
        free(to_pages(all.size() * sizeof(swb_l_registration)), kBytesAt);
        free(kBytesAt + to_pages(end), kBytesAt + to_pages(SWB_SCHEMAS_BYTES));
    } catch (const std::exception&) {}  // damaged, or a closed descriptor: who looks for a schema is told
}

std::uint64_t content_hash(std::span<const std::byte> binary, std::string_view root) noexcept {
    // FNV-1a
    std::uint64_t hash = 0xcbf29ce484222325ull;
    const auto mix = [&hash](std::uint8_t byte) { hash = (hash ^ byte) * 0x100000001b3ull; };
    for (const std::byte byte : binary) mix(std::to_integer<std::uint8_t>(byte));
    mix(0);
    for (const char c : root) mix(static_cast<std::uint8_t>(c));
    return hash;
}

}  // namespace swarmbus::core
