// How many points each operation had when somebody last looked: a harness that stops early is noticed.
#pragma once

#include <cstddef>
#include <map>
#include <string>

namespace swarmbus::faults {

class StoredPoints {
public:
    explicit StoredPoints(std::string path);

    // Fewer than this many points of an operation are a failure; 0 if nothing is stored of it.
    //
    // One compiler and one set of flags find the same points each time, but for a look or two more where
    // an operation waits. Another minor version of the compiler, or of the C library, joins accesses
    // or splits them. A fifth less is beyond that, and still far from what a lost branch or a harness
    // that stops early leaves. More points than stored are no failure: they are tried, too.
    std::size_t least(const std::string& operation) const;
    std::size_t stored(const std::string& operation) const;

    void set(const std::string& operation, std::size_t points) { points_[operation] = points; }
    void write() const;

private:
    const std::string path_;
    std::map<std::string, std::size_t> points_;
};

}  // namespace swarmbus::faults
