// Looking at buses, and checking names and patterns.
#include <algorithm>

#include "capi/guard.hpp"
#include "src/routing/name.hpp"
#include "src/routing/pattern.hpp"
#include "src/segment/bus_file.hpp"
#include "src/inspect/doctor.hpp"
#include "src/inspect/look.hpp"
#include "src/inspect/roster.hpp"

using namespace swarmbus;
using capi::fail;
using capi::guarded;

swb_result swb_look(const char* name, swb_info* info) {
    if (name == nullptr || info == nullptr) return fail(SWB_ERR_ARGUMENT, "swb_look() needs a name and a place for the answer");
    if (info->size < sizeof(swb_info)) return fail(SWB_ERR_ARGUMENT, "swb_info.size is not set; set it to sizeof(swb_info)");
    return guarded([&] {
        const std::size_t size = info->size;
        *info = core::look_at_bus(name);
        info->size = size;
        return SWB_OK;
    });
}

swb_result swb_list(void (*each)(const char* name, void* user), void* user) {
    if (each == nullptr) return fail(SWB_ERR_ARGUMENT, "swb_list() needs a function to call");
    return guarded([&] {
        for (const std::string& name : core::list_bus_names()) each(name.c_str(), user);
        return SWB_OK;
    });
}

namespace {

swb_condition condition_of(const core::RosterEntry& entry) noexcept {
    switch (entry.condition) {
    case core::Condition::alive: return entry.stopped ? SWB_STANDS_STILL : SWB_ALIVE;
    case core::Condition::lockless: return SWB_LOCK_LOST;
    default: return SWB_DEAD;
    }
}

}  // namespace

swb_result swb_participants(const char* name, void (*each)(const swb_participant* participant, void* user), void* user) {
    if (name == nullptr || each == nullptr) return fail(SWB_ERR_ARGUMENT, "swb_participants() needs a name and a function to call");
    return guarded([&] {
        for (const core::RosterEntry& entry : core::look_at_roster(name)) {
            swb_participant told{};
            told.size = sizeof told;
            told.name = entry.name.c_str();
            told.patterns = entry.patterns.c_str();
            told.id = entry.index;
            told.pid = entry.pid;
            told.condition = condition_of(entry);
            told.inboxes = entry.inboxes;
            told.writers = entry.writers;
            told.joined_ns = entry.joined_ns;
            told.waiting = entry.waiting;
            std::copy(entry.losses.begin(), entry.losses.end(), told.lost_by);
            each(&told, user);
        }
        return SWB_OK;
    });
}

swb_result swb_doctor(const char* name, int repair, void (*each)(const swb_finding* finding, void* user), void* user) {
    if (name == nullptr || each == nullptr) return fail(SWB_ERR_ARGUMENT, "swb_doctor() needs a name and a function to call");
    return guarded([&] {
        const core::Diagnosis diagnosis = repair != 0 ? core::repair(name) : core::examine(name);
        for (const core::Finding& finding : diagnosis.findings) {
            const swb_finding told{sizeof told,
                                   finding.what.c_str(),
                                   finding.who.c_str(),
                                   finding.detail.c_str(),
                                   finding.advice.c_str(),
                                   finding.pid,
                                   finding.repaired ? 1u : 0u,
                                   finding.other_bus ? 1u : 0u,
                                   0};
            each(&told, user);
        }
        if (diagnosis.error) throw *diagnosis.error;
        return SWB_OK;
    });
}

swb_result swb_remove(const char* name, int force) {
    if (name == nullptr) return fail(SWB_ERR_ARGUMENT, "swb_remove() needs a name");
    return guarded([&] {
        core::remove_bus(name, force != 0);
        return SWB_OK;
    });
}

swb_result swb_check_type(const char* type, size_t* position) {
    if (type == nullptr) return fail(SWB_ERR_ARGUMENT, "the type is NULL");
    return guarded([&] {
        const auto fault = core::find_fault_in_type(type);
        if (fault && position != nullptr) *position = fault->position;
        core::check_type(type);
        return SWB_OK;
    });
}

swb_result swb_check_pattern(const char* pattern, size_t* position) {
    if (pattern == nullptr) return fail(SWB_ERR_ARGUMENT, "the pattern is NULL");
    return guarded([&] {
        const auto fault = core::find_fault_in_pattern(pattern);
        if (fault && position != nullptr) *position = fault->position;
        core::check_pattern(pattern);
        return SWB_OK;
    });
}

int swb_match(const char* pattern, const char* type) {
    if (pattern == nullptr || type == nullptr) return fail(SWB_ERR_ARGUMENT, "swb_match() needs a pattern and a type");
    int matches = 0;
    const swb_result result = guarded([&] {
        core::check_type(type);
        matches = core::Pattern(pattern).matches(type) ? 1 : 0;
        return SWB_OK;
    });
    return result == SWB_OK ? matches : result;
}
