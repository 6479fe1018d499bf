// Results and error messages.
#include "capi/guard.hpp"

#include <cstdio>

namespace swarmbus::capi {
namespace {

thread_local char last_error[512] = "";

}  // namespace

swb_result fail(swb_result code, const char* message) noexcept {
    std::snprintf(last_error, sizeof last_error, "%s", message);
    return code;
}

}  // namespace swarmbus::capi

const char* swb_result_name(swb_result result) {
    switch (result) {
#define SWB_RESULT_NAME(name, number, text) \
    case name: return #name;
        SWB_RESULT_MAP(SWB_RESULT_NAME)
#undef SWB_RESULT_NAME
    }
    return "SWB_UNKNOWN";
}

const char* swb_result_text(swb_result result) {
    switch (result) {
#define SWB_RESULT_TEXT(name, number, text) \
    case name: return text;
        SWB_RESULT_MAP(SWB_RESULT_TEXT)
#undef SWB_RESULT_TEXT
    }
    return "unknown result";
}

const char* swb_last_error(void) { return swarmbus::capi::last_error; }

const char* swb_version(void) { return SWARMBUS_VERSION; }
