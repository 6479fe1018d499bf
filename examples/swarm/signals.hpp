// Signals of the demo: kept back, and taken one at a time where that suits.
#pragma once

#include <chrono>

namespace swarm {

// Ends or changes nothing by itself from now on: interrupts, a closed terminal, a changed size, Ctrl-Z,
// ended children, closed pipes. Signals that were ignored when the demo was started stay ignored.
void hold_signals() noexcept;

// Sleeps until one of them comes or the time has passed (0 then).
int wait_for_signal(std::chrono::milliseconds time) noexcept;

// What a signal means.
bool asks_to_end(int signal) noexcept;
bool asks_to_stop(int signal) noexcept;  // Ctrl-Z
bool tells_new_size(int signal) noexcept;

// Stops this process, as Ctrl-Z does, until it is continued.
void stop_until_continued() noexcept;

}  // namespace swarm
