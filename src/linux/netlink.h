// SPDX-License-Identifier: Apache-2.0
// rtnetlink(7), as much of it as moving interfaces takes: a request, and what the kernel answers.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace onggi {

// The bytes of one message without its nlmsghdr: a fixed structure, then attributes.
template <class Body>
class NetlinkMessage {
 public:
  explicit NetlinkMessage(const Body& body = {})
      : bytes_(reinterpret_cast<const char*>(&body), sizeof body) {
    pad();
  }

  NetlinkMessage& add(uint16_t type, std::string_view value) {
    const nlattr header{.nla_len = static_cast<uint16_t>(sizeof(nlattr) + value.size()),
                        .nla_type = type};
    bytes_.append(reinterpret_cast<const char*>(&header), sizeof header).append(value);
    pad();
    return *this;
  }
  NetlinkMessage& add(uint16_t type, uint32_t value) {
    return add(type, std::string_view(reinterpret_cast<const char*>(&value), sizeof value));
  }
  // NUL-terminated, as the kernel wants names.
  NetlinkMessage& add_name(uint16_t type, const std::string& name) {
    return add(type, std::string_view(name.c_str(), name.size() + 1));
  }
  std::string_view bytes() const { return bytes_; }

 private:
  void pad() { bytes_.resize(NLMSG_ALIGN(bytes_.size())); }
  std::string bytes_;
};

// The structure at the beginning of a message; zeros for what is missing of it.
template <class Body>
Body netlink_body(std::string_view bytes) {
  Body body{};
  memcpy(&body, bytes.data(), std::min(sizeof body, bytes.size()));
  return body;
}

struct NetlinkAttribute {
  uint16_t type = 0;
  std::string_view value;
};
// Those behind a fixed structure of `offset` bytes. They point into `bytes`.
std::vector<NetlinkAttribute> netlink_attributes(std::string_view bytes, size_t offset);

class NetlinkSocket {
 public:
  // To the network namespace of this process.
  static Result<NetlinkSocket> open();
  // To another one, borrowed: a short-lived child opens it there.
  static Result<NetlinkSocket> open_in(int network_namespace);

  // Sends a request and returns the messages of the answer, each without its nlmsghdr. `flags`:
  // NLM_F_DUMP, or NLM_F_CREATE and the like. `what` names the request in an error: "RTM_SETLINK".
  // A refusal has the errno and, where the kernel gives one, its explanation.
  Result<std::vector<std::string>> ask(uint16_t type, uint16_t flags, std::string_view body,
                                       std::string_view what);

 private:
  struct Answer {
    std::vector<std::string> replies;
    bool interrupted = false;
  };

  explicit NetlinkSocket(UniqueFd socket) : socket_(std::move(socket)) {}
  Result<> send(uint16_t type, uint16_t flags, std::string_view body, std::string_view what);
  // True: the answer is complete.
  Result<bool> collect(std::string_view packet, std::string_view what, Answer& answer) const;

  UniqueFd socket_;
  uint32_t sequence_ = 0;
};

}  // namespace onggi
