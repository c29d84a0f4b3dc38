// SPDX-License-Identifier: Apache-2.0
// Every request asks for an acknowledgement, so an answer always ends in NLMSG_ERROR (errno 0: it
// is done) or, that of a dump, in NLMSG_DONE.
#include "linux/netlink.h"

#include "linux/clone.h"
#include "linux/socket_message.h"

#include <algorithm>

namespace onggi {
namespace {

constexpr size_t kMaxPacket = size_t{64} * 1024;  // the kernel fills at most 32 KiB of a dump

Result<UniqueFd> open_socket() {
  const long opened = sys::socket(AF_NETLINK, SOCK_RAW);  // NETLINK_ROUTE is protocol 0
  if (opened < 0) return system_error(opened, "socket", "AF_NETLINK");
  UniqueFd socket(opened);
  // Explanations with errors, without a copy of the request. Old kernels have neither.
  for (const int option : {NETLINK_EXT_ACK, NETLINK_CAP_ACK}) {
    const int on = 1;
    (void)sys::call(SYS_setsockopt, socket.get(), SOL_NETLINK, option, &on, sizeof on);
  }
  return socket;
}

struct Opening {
  int network_namespace, answer;
};

// On borrowed memory: the answer goes over a socket, because descriptors are not shared.
void open_there(void* argument) {
  const auto& opening = *static_cast<const Opening*>(argument);
  const long joined = sys::setns(opening.network_namespace, CLONE_NEWNET);
  Error error;
  if (joined < 0) {
    error = system_error(joined, "setns", "the container's network namespace");
  } else {
    const Result<UniqueFd> socket = open_socket();
    if (socket) {
      (void)send_with_fd(opening.answer, &error, sizeof error, socket->get());
      sys::exit_group(0);
    }
    error = socket.error();
  }
  (void)send_with_fd(opening.answer, &error, sizeof error, -1);
  sys::exit_group(1);
}

// "no such device" and, of newer kernels, why: "The interface netns is immutable".
Error refusal(std::string_view answer, int32_t result, std::string_view what, uint16_t flags) {
  Error error = system_error(result, what);
  if ((flags & NLM_F_ACK_TLVS) == 0) return error;
  for (const NetlinkAttribute& attribute : netlink_attributes(answer, sizeof(nlmsgerr))) {
    if (attribute.type != NLMSGERR_ATTR_MSG) continue;
    const std::string_view text = attribute.value.substr(0, attribute.value.find('\0'));
    error.message.append(" (", text, ")");
  }
  return error;
}

}  // namespace

std::vector<NetlinkAttribute> netlink_attributes(std::string_view bytes, size_t offset) {
  std::vector<NetlinkAttribute> attributes;
  bytes.remove_prefix(std::min<size_t>(NLMSG_ALIGN(offset), bytes.size()));
  while (bytes.size() >= sizeof(nlattr)) {
    nlattr header;
    memcpy(&header, bytes.data(), sizeof header);
    if (header.nla_len < sizeof header || header.nla_len > bytes.size()) break;
    attributes.push_back({static_cast<uint16_t>(header.nla_type & NLA_TYPE_MASK),
                          bytes.substr(sizeof header, header.nla_len - sizeof header)});
    bytes.remove_prefix(std::min<size_t>(NLMSG_ALIGN(header.nla_len), bytes.size()));
  }
  return attributes;
}

Result<NetlinkSocket> NetlinkSocket::open() {
  return NetlinkSocket(TRY(open_socket()));
}

Result<NetlinkSocket> NetlinkSocket::open_in(int network_namespace) {
  SocketPair sockets = TRY(make_socket_pair(SOCK_SEQPACKET));
  Opening opening{network_namespace, sockets.second.get()};
  const Child child = TRY(clone_borrowing({}, open_there, &opening));
  sockets.second.reset();
  int status;
  (void)sys::waitpid(child.pid, status);
  Error error;
  Packet answer = TRY(receive_packet(sockets.first.get(), &error, sizeof error));
  if (answer.fd) return NetlinkSocket(std::move(answer.fd));
  if (answer.size == sizeof error) return error;
  return make_error(ErrorKind::system, "the process that enters the network namespace died");
}

Result<> NetlinkSocket::send(uint16_t type, uint16_t flags, std::string_view body,
                             std::string_view what) {
  nlmsghdr header{.nlmsg_len = static_cast<uint32_t>(NLMSG_HDRLEN + body.size()),
                  .nlmsg_type = type,
                  .nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags),
                  .nlmsg_seq = ++sequence_,
                  .nlmsg_pid = 0};
  iovec parts[] = {{&header, sizeof header}, {const_cast<char*>(body.data()), body.size()}};
  msghdr message = {};
  message.msg_iov = &parts[0];
  message.msg_iovlen = std::size(parts);
  const long sent = sys::sendmsg(socket_.get(), message, 0);
  if (sent < 0) return system_error(sent, what);
  return {};
}

Result<bool> NetlinkSocket::collect(std::string_view packet, std::string_view what,
                                    Answer& answer) const {
  nlmsghdr header;
  while (packet.size() >= sizeof header) {
    memcpy(&header, packet.data(), sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > packet.size()) break;
    const std::string_view content = packet.substr(NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN);
    packet.remove_prefix(std::min<size_t>(NLMSG_ALIGN(header.nlmsg_len), packet.size()));
    if (header.nlmsg_seq != sequence_) continue;
    answer.interrupted |= (header.nlmsg_flags & NLM_F_DUMP_INTR) != 0;
    if (header.nlmsg_type != NLMSG_ERROR && header.nlmsg_type != NLMSG_DONE) {
      answer.replies.emplace_back(content);
      continue;
    }
    int32_t result = 0;  // both begin with it: 0, or a negated errno
    memcpy(&result, content.data(), std::min(sizeof result, content.size()));
    if (result < 0) return refusal(content, result, what, header.nlmsg_flags);
    return true;
  }
  if (packet.empty()) return false;
  return make_error(ErrorKind::system, what, ": truncated answer");
}

Result<std::vector<std::string>> NetlinkSocket::ask(uint16_t type, uint16_t flags,
                                                    std::string_view body, std::string_view what) {
  std::string packet(kMaxPacket, '\0');
  for (;;) {
    TRY(send(type, flags, body, what));
    Answer answer;
    for (bool done = false; !done;) {
      const Packet received = TRY(receive_packet(socket_.get(), packet.data(), packet.size()));
      if (received.size == 0) return make_error(ErrorKind::system, what, ": no answer");
      done = TRY(collect(std::string_view(packet).substr(0, received.size), what, answer));
    }
    // Something changed while the kernel walked its tables, which may have hidden an entry.
    if (!answer.interrupted) return std::move(answer.replies);
  }
}

}  // namespace onggi
