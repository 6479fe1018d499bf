// A /dev/shm of a child's own: a file system of a size of its choice that nobody else sees.
#pragma once

#include <string>
#include <vector>

namespace swarmbus::test {

// Whether this user may have one; the test is skipped otherwise.
bool private_shm_is_allowed();

// In a child: from here on /dev/shm is a new, empty file system of this type ("tmpfs", "ramfs") with
// these mount options ("size=16m").
void enter_private_shm(const char* type, const std::string& options);

// Names of the files in /dev/shm, sorted.
std::vector<std::string> files_in_shm();

}  // namespace swarmbus::test
