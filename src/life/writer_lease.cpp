#include "src/life/writer_lease.hpp"

#include "src/error.hpp"
#include "src/words/table_words.hpp"

namespace swarmbus::core {

WriterLease lease_writer(Segment& segment, std::uint32_t participant, std::uint32_t generation, std::string_view source) {
    constexpr std::uint32_t kIds = SWB_WRITERS - 1;
    const std::uint32_t start = words::next_writer(segment.header());
    for (std::uint32_t i = 0; i < kIds; ++i) {
        const std::uint32_t id = (start + i - 1) % kIds + 1;
        swb_l_writer& line = segment.writer(id);
        const Lease before = words::load_lease(line);
        if (!before.free()) continue;
        const Lease mine = Lease::of(static_cast<std::uint16_t>(before.number() + 1), participant + 1, generation);
        if (!words::replace_lease(line, before, mine)) continue;
        words::store_text(line.source, source);
        return {id, mine};
    }
    throw Error(SWB_ERR_WRITERS_FULL,
                "all " + std::to_string(kIds) +
                    " writer ids of the bus are taken; each publishing thread needs one per handle: end some threads or close handles");
}

void release_writer(Segment& segment, const WriterLease& writer) noexcept {
    words::replace_lease(segment.writer(writer.id), writer.lease, Lease::of(writer.lease.number(), 0, 0));
}

bool read_source(Segment& segment, std::uint32_t writer, std::uint16_t lease, char (&source)[SWB_SOURCE_BYTES]) noexcept {
    if (writer == 0 || writer >= SWB_WRITERS) return false;
    swb_l_writer& line = segment.writer(writer);
    words::load_text(line.source, source);
    return words::load_lease(line).number() == lease;
}

}  // namespace swarmbus::core
