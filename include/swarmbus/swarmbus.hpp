// SwarmBus for C++20: everything. Link with libswarmbus.
//
//     swarmbus::Bus bus("demo");
//     bus.subscribe("agent.*", [](const swarmbus::Event& e) { std::cout << e.type() << '\n'; });
//     bus.run();
#pragma once

#include <swarmbus/bus.hpp>
#include <swarmbus/error.hpp>
#include <swarmbus/event.hpp>
#include <swarmbus/publisher.hpp>
#include <swarmbus/types.hpp>
