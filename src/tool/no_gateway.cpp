// In the place of the gateway's client where there is no libwebsockets.
#include <stdexcept>

#include "src/tool/listen.hpp"
#include "src/tool/publish_target.hpp"

namespace swarmbus::tool {
namespace {

[[noreturn]] void refuse() {
    throw std::runtime_error("--gateway: this swarmbus was built without libwebsockets (Meson option 'libwebsockets'), which that needs");
}

}  // namespace

Heard listen_at_gateway(const Listening&) { refuse(); }
std::unique_ptr<PublishTarget> gateway_target(const GatewayOption&, const std::string&) { refuse(); }

}  // namespace swarmbus::tool
