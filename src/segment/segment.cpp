#include "src/segment/segment.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/interprocess/shared_memory_object.hpp>
#include <cerrno>
#include <cstring>
#include <optional>

#include "src/clock/clock.hpp"
#include "src/error.hpp"
#include "src/life/file_lock.hpp"
#include "src/segment/bus_file.hpp"
#include "src/segment/companion.hpp"
#include "src/segment/header.hpp"
#include "src/segment/memory.hpp"
#include "src/words/table_words.hpp"

namespace swarmbus::core {
namespace {

namespace ipc = boost::interprocess;

constexpr int kCreateAttempts = 8;

// As open_above_standard_streams() does.
Descriptor duplicate_above_standard_streams(int fd) {
    const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (copy < 0) throw system_error(SWB_ERR_SYSTEM, "duplicating the descriptor of the bus (fcntl F_DUPFD_CLOEXEC)", errno);
    return Descriptor(copy);
}

void check_limits(const std::string& name, const swb_l_header& has, const Limits& asked) {
    std::string differences;
    const auto compare = [&](const char* what, std::uint64_t wanted, std::uint64_t is) {
        if (wanted == 0 || wanted == is) return;
        differences +=
            std::string(differences.empty() ? "" : ", ") + what + " " + std::to_string(is) + " (asked for: " + std::to_string(wanted) + ")";
    };
    compare("max_participants", asked.max_participants, has.max_participants);
    compare("max_subscribers", asked.max_subscribers, has.max_subscribers);
    compare("max_types", asked.max_types, has.max_types);
    compare("slot_bytes", asked.slot_bytes, has.slot_bytes);
    compare("default_capacity", asked.default_capacity, has.default_capacity);
    compare("strict", asked.strict, has.strict);
    compare("ring_bytes", (asked.ring_bytes + SWB_PAGE - 1) / SWB_PAGE * SWB_PAGE, has.ring_bytes);
    if (!differences.empty()) {
        throw Error(SWB_ERR_LIMITS, "bus '" + name + "' exists with " + differences + "; open it without these limits or use another name");
    }
}

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = other.release();
    }
    return *this;
}

Descriptor::~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

int Descriptor::release() noexcept {
    const int fd = fd_;
    fd_ = -1;
    return fd;
}

Descriptor open_above_standard_streams(const std::string& path, int flags, mode_t mode) noexcept {
    Descriptor opened(::open(path.c_str(), flags | O_CLOEXEC, mode));
    if (opened.get() < 0 || opened.get() > STDERR_FILENO) return opened;
    return Descriptor(::fcntl(opened.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

Segment::Segment(std::string name, Descriptor fd, const swb_l_header& planned)
    : name_(std::move(name)), path_(bus_path(name_)), plan_(planned) {
    struct stat st {};
    if (::fstat(fd.get(), &st) != 0) throw system_error(SWB_ERR_SYSTEM, "looking at the file of the bus", errno);
    device_ = st.st_dev;
    inode_ = st.st_ino;
    permissions_ = st.st_mode & 0666;
    try {
        // A mapping by descriptor; Boost's own object would hold one that may lie below 3.
        struct FileMapping {
            ipc::mapping_handle_t handle;
            ipc::mapping_handle_t get_mapping_handle() const { return handle; }
        };
        const FileMapping mapping{{fd.get(), false}};
        tables_ = ipc::mapped_region(mapping, ipc::read_write, 0, plan_.rings_at);
    } catch (const ipc::interprocess_exception& e) {
        throw system_error(SWB_ERR_NO_SPACE, "mapping the tables of the bus (mmap of " + mebibytes(plan_.rings_at) + ")",
                           e.get_native_error());
    }
    base_ = static_cast<std::byte*>(tables_.get_address());
    // Locks belong to an open file description, and mappings keep theirs alive: also those that a
    // forked child inherits. So locks get a description of their own, which ends with its descriptor.
    const std::string again = "/proc/self/fd/" + std::to_string(fd.get());
    Descriptor for_locks(::open(again.c_str(), O_RDWR | O_CLOEXEC));
    if (for_locks.get() < 0) throw system_error(SWB_ERR_SYSTEM, "opening the bus for its locks (" + again + ")", errno);
    for_locks = duplicate_above_standard_streams(for_locks.get());
    void* rings = ::mmap(nullptr, plan_.ring_bytes, PROT_NONE, MAP_SHARED | MAP_NORESERVE, fd.get(), static_cast<off_t>(plan_.rings_at));
    if (rings == MAP_FAILED) {
        throw system_error(SWB_ERR_NO_SPACE,
                           "reserving address space for the rings of the bus (mmap of " + mebibytes(plan_.ring_bytes) + "; see ulimit -v)",
                           errno);
    }
    rings_ = static_cast<std::byte*>(rings);
    ::madvise(rings_, plan_.ring_bytes, MADV_DONTDUMP);
    keep_descriptor(for_locks.release());  // nothing throws behind the mapping, which no other object would undo
}

// The mark is in the open file description, which the locks belong to: it tells it from any other of the same file.
void Segment::keep_descriptor(int fd) noexcept {
    static std::atomic<off_t> last_mark{0};
    const off_t mark = last_mark.fetch_add(1, std::memory_order_relaxed) + 1;
    ::lseek(fd, mark, SEEK_SET);
    fd_mark_.store(mark, std::memory_order_relaxed);
    fd_.store(fd, std::memory_order_release);
}

int Segment::fd() const noexcept {
    struct stat st {};
    const int fd = fd_.load(std::memory_order_acquire);
    const bool this_file = fd >= 0 && ::fstat(fd, &st) == 0 && st.st_dev == device_ && st.st_ino == inode_;
    return this_file && ::lseek(fd, 0, SEEK_CUR) == fd_mark_.load(std::memory_order_relaxed) ? fd : -1;
}

bool Segment::is_named() const noexcept {
    struct stat st {};
    // By the file itself, as far as that tells: a process that has changed its root can't see the name. Another link
    // is what a creator left that died half way.
    if (const int own = fd(); own >= 0 && ::fstat(own, &st) == 0 && st.st_nlink < 2) return st.st_nlink == 1;
    if (::stat(path_.c_str(), &st) == 0) return st.st_dev == device_ && st.st_ino == inode_;
    return errno != ENOENT;  // not to be known
}

bool Segment::open_descriptor_again() noexcept {
    if (reopening_.test_and_set(std::memory_order_acquire)) return false;  // by a thread, or one that a signal interrupted
    struct Reopened {
        std::atomic_flag& flag;
        ~Reopened() { flag.clear(std::memory_order_release); }
    } const reopened{reopening_};
    if (fd() >= 0) return false;
    try {
        const Descriptor opened(::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
        struct stat st {};
        if (opened.get() < 0 || ::fstat(opened.get(), &st) != 0 || st.st_dev != device_ || st.st_ino != inode_) return false;
        keep_descriptor(duplicate_above_standard_streams(opened.get()).release());
        return true;
    } catch (const std::exception&) {
        return false;
    }
}

void Segment::close_descriptor() noexcept {
    if (const int mine = fd(); mine >= 0) ::close(mine);
    fd_.store(-1);
}

void Segment::forget() noexcept {
    const auto map_zeros_over = [](void* at, std::size_t bytes) {
        ::mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    };
    map_zeros_over(base_, tables_.get_size());
    map_zeros_over(rings_, plan_.ring_bytes);
    close_descriptor();
}

Segment::~Segment() {
    close_descriptor();
    if (rings_ != nullptr) ::munmap(rings_, plan_.ring_bytes);
}

std::unique_ptr<Segment> Segment::open(const std::string& name, OpenMode mode, const Limits& asked, mode_t permissions) {
    check_bus_name(name);
    complete(asked);  // limits that no bus can have are refused whether it exists or not
    for (int attempt = 0; attempt < kCreateAttempts; ++attempt) {
        if (mode != OpenMode::create_only) {
            try {
                return open_existing(name, asked);
            } catch (const Error& e) {
                if (e.code() != SWB_ERR_NO_BUS || mode == OpenMode::open_only) throw;
            }
        }
        try {
            create(name, complete(asked), permissions);
            return open_existing(name, asked);  // by its name, which then is what the system shows of the mappings
        } catch (const Error& e) {
            const bool again = e.code() == SWB_ERR_EXISTS || e.code() == SWB_ERR_NO_BUS;
            if (!again || mode == OpenMode::create_only) throw;
        }
    }
    throw Error(SWB_ERR_SYSTEM, "bus '" + name + "' appeared and vanished " + std::to_string(kCreateAttempts) +
                                    " times while it was opened; look for a program that keeps removing it");
}

std::unique_ptr<Segment> Segment::open_existing(const std::string& name, const Limits& asked) {
    Descriptor fd;
    try {
        ipc::shared_memory_object file(ipc::open_only, bus_file_name(name).c_str(), ipc::read_write);
        fd = duplicate_above_standard_streams(file.get_mapping_handle().handle);
    } catch (const ipc::interprocess_exception& e) {
        throw open_error(name, e.get_native_error());
    }
    const swb_l_header planned = read_header(fd.get(), name);
    check_limits(name, planned, asked);
    return std::unique_ptr<Segment>(new Segment(name, std::move(fd), planned));
}

// Built under a temporary name and linked when ready: whoever sees the name sees a whole bus.
void Segment::create(const std::string& name, const Limits& limits, mode_t permissions) {
    remove_abandoned_files();
    remove_orphaned_companions();
    const std::string temporary = temporary_file_name();
    const std::string temporary_path = std::string(kSharedMemoryDirectory) + "/" + temporary;
    struct Unlink {
        const std::string& path;
        ~Unlink() { ::unlink(path.c_str()); }
    };
    std::optional<Unlink> unlink_temporary;
    Descriptor fd;
    try {
        ipc::permissions mode;
        mode.set_permissions(static_cast<int>(permissions));
        ipc::shared_memory_object file(ipc::create_only, temporary.c_str(), ipc::read_write, mode);
        unlink_temporary.emplace(temporary_path);
        fd = duplicate_above_standard_streams(file.get_mapping_handle().handle);
    } catch (const ipc::interprocess_exception& e) {
        throw system_error(e.get_native_error() == EACCES ? SWB_ERR_PERMISSION : SWB_ERR_SYSTEM, "creating bus '" + name + "' in /dev/shm",
                           e.get_native_error());
    }
    const Descriptor building = duplicate_above_standard_streams(fd.get());  // says that we live
    try_lock(building.get(), SWB_LOCK_CREATOR);

    swb_l_header planned = core::plan(limits);
    planned.layout_hash = layout_hash(planned);
    planned.bus_id = random_number();
    if (::ftruncate(fd.get(), static_cast<off_t>(planned.file_bytes)) != 0) {
        throw system_error(SWB_ERR_NO_SPACE, "sizing bus '" + name + "' (ftruncate)", errno);
    }
    if (const int error = allocate_memory(fd.get(), 0, planned.rings_at)) {
        static_cast<void>(::ftruncate(fd.get(), 0) == 0);  // so that what is free is told as it was before
        throw no_space(fd.get(), planned.rings_at, "bus '" + name + "'", error);
    }
    planned.created_ns = wall_clock_ns();
    planned.next_writer = 1;
    read_boot_id(planned.boot_id);
    if (::pwrite(fd.get(), &planned, sizeof planned, 0) != sizeof planned) {
        throw system_error(SWB_ERR_SYSTEM, "writing the header of bus '" + name + "'", errno);
    }
    {  // Before it has its name: if this process can't use what it makes, nothing is left behind.
        const Segment trial(name, duplicate_above_standard_streams(fd.get()), planned);
    }
    if (::link(temporary_path.c_str(), bus_path(name).c_str()) != 0) {
        if (errno == EEXIST) throw Error(SWB_ERR_EXISTS, "a bus named '" + name + "' exists already (" + bus_path(name) + ")");
        throw system_error(SWB_ERR_SYSTEM, "naming bus '" + name + "' (link)", errno);
    }
    unlock(building.get(), SWB_LOCK_CREATOR);
}

bool Segment::holds_block(std::uint64_t block_at, std::uint64_t bytes) const noexcept {
    return block_at % SWB_PAGE == 0 && bytes % SWB_PAGE == 0 && bytes <= plan_.ring_bytes && block_at <= plan_.ring_bytes - bytes;
}

std::byte* Segment::open_block(std::uint64_t block_at, std::uint64_t bytes) {
    if (!holds_block(block_at, bytes)) return nullptr;
    const std::lock_guard lock(opened_mutex_);
    std::uint64_t& known = opened_[block_at];
    if (known < bytes) {
        if (::mprotect(rings_ + block_at, bytes, PROT_READ | PROT_WRITE) != 0) {
            throw system_error(SWB_ERR_SYSTEM, "opening the memory of an inbox (mprotect)", errno);
        }
        known = bytes;
    }
    return rings_ + block_at;
}

void Segment::allocate_block(std::uint64_t block_at, std::uint64_t bytes) {
    release_block(block_at, bytes);  // whatever an owner that died half way left there
    if (const int error = allocate_memory(fd(), plan_.rings_at + block_at, bytes)) {
        release_block(block_at, bytes);
        throw no_space(fd(), bytes, "the inbox", error);
    }
}

void Segment::release_block(std::uint64_t block_at, std::uint64_t bytes) noexcept {
    if (holds_block(block_at, bytes)) give_memory_back(fd(), plan_.rings_at + block_at, bytes);
}

}  // namespace swarmbus::core
