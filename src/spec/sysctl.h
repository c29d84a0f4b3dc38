// SPDX-License-Identifier: Apache-2.0
// The two spellings of a sysctl, and the namespace that it belongs to.
#pragma once

#include "spec/spec.h"

#include <optional>
#include <string>

namespace onggi::spec {

// Below /proc/sys: "net.ipv4.ip_forward" and "net/ipv4/ip_forward" are both "net/ipv4/ip_forward".
// As in sysctl.d(5) the first separator decides, so that an interface may have a dot in its name:
// "net/ipv4/conf/eth0.100/forwarding", which is "net.ipv4.conf.eth0/100.forwarding" the other way
// round. Empty if a component is empty, "." or "..".
std::string sysctl_path(Text key);

// The namespace whose processes see their own value; nothing if the value is the host's.
std::optional<NamespaceType> sysctl_namespace(std::string_view path);

}  // namespace onggi::spec
