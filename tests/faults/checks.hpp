// What must hold when a trial is over.
#pragma once

#include <string>

#include "tests/faults/stage.hpp"

namespace swarmbus::faults {

// Gives the stage a /dev/shm of its own, where that is allowed: whatever becomes of a trial, it leaves
// no file on the machine.
void enter_own_shm();

// All three: what is wrong; empty if nothing.
// The books of all, when all that live have ended.
std::string wrong_in_the_books(const Board& board, const Operation& operation, bool victim_lived);
// While survivors are still there: one more process comes, works and goes; then nothing is left but theirs,
// on the bus and in /dev/shm.
std::string what_is_left_by_the_dead(Stage& stage);
// When all have gone.
std::string what_is_left_at_the_end(Stage& stage);

}  // namespace swarmbus::faults
