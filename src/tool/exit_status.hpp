// How the tool ends; the numbers are part of its manual (docs/tool.md).
#pragma once

#include <stdexcept>

namespace swarmbus::tool {

enum ExitStatus : int {
    kDone = 0,
    kFailure = 1,     // something failed at run time; a message says what
    kUsage = 2,       // the command line was wrong
    kIncomplete = 3,  // with --strict: events were lost or not delivered
    kTimedOut = 124,  // what was waited for did not come in time
};

// A command line that can't be obeyed: kUsage.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// A signal asks the tool to end; SIGPIPE: the reader of its output has gone. Thrown, so that the bus
// is left properly; main() then dies of that signal, which tells shells how it ended.
struct Ended {
    int signal;
};

}  // namespace swarmbus::tool
