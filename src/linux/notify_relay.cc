// SPDX-License-Identifier: Apache-2.0
// Of what the program sends, READY=1 alone is passed on; descriptors that come along are dropped by
// the kernel, because there is no room for them.
#include "linux/notify_relay.h"

#include "base/log.h"
#include "base/split.h"
#include "base/text.h"
#include "linux/socket_message.h"
#include "linux/unix_socket.h"
#include "linux/waiting.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace onggi {
namespace {

constexpr int kBarrierPatience = 30'000;  // milliseconds

bool says_ready(std::string_view message) {
  const std::vector<std::string_view> lines = lines_of(message).all();
  return std::ranges::find(lines, "READY=1") != lines.end();
}

}  // namespace

bool notify_requested() {
  const char* path = getenv("NOTIFY_SOCKET");
  return path != nullptr && *path != 0;
}

Result<std::optional<NotifyRelay>> NotifyRelay::open() {
  std::optional<NotifyRelay> relay;
  if (!notify_requested()) return relay;
  const std::string path = getenv("NOTIFY_SOCKET");
  if (!path.starts_with('/') && !path.starts_with('@')) {
    return with_hint(unsupported("", "NOTIFY_SOCKET '", path, "' is not a Unix socket"),
                     "unset it, or set it to a path or an abstract socket (@NAME)");
  }
  Result<UniqueFd> service = connect_to_datagram_socket(path);
  if (!service) {
    Error error = service.error();
    return with_hint(error, "unset NOTIFY_SOCKET if no service manager listens");
  }
  relay.emplace(NotifyRelay(std::move(service).value()));
  return relay;
}

Result<> NotifyRelay::on_ready() {
  char message[4096];
  const long size = sys::read(container_.get(), message, sizeof message);
  if (size < 0) return system_error(size, "read", "the container's notify socket");
  if (!says_ready({message, static_cast<size_t>(size)})) return {};
  container_.reset();
  // One message, so that the service manager never sees the readiness without the process.
  const auto ready = text<64>("MAINPID=", main_pid_, "\nREADY=1");
  // The container runs, whoever hears of it.
  const Result<size_t> sent = send_with_fd(service_.get(), ready.c_str(), ready.view().size(), -1);
  if (!sent) log::warn("NOTIFY_SOCKET", sent.error());
  return {};
}

Result<> NotifyRelay::wait(int process, int signals) {
  const Waiting waiting{.process = process, .signals = signals};
  while (TRY(wait_readable(container_.get(), waiting)) == Waited::ready) {
    TRY(on_ready());
    if (!container_) return flush(signals);
  }
  container_.reset();
  return {};
}

// sd_notify_barrier(3): the service manager closes the descriptor when it comes to the message.
Result<> NotifyRelay::flush(int signals) const {
  int pair[2];
  const long piped = sys::call(SYS_pipe2, &pair[0], O_CLOEXEC);
  if (piped < 0) return system_error(piped, "pipe");
  const UniqueFd ours(pair[0]);
  UniqueFd theirs(pair[1]);
  constexpr std::string_view kBarrier = "BARRIER=1";
  TRY(send_with_fd(service_.get(), kBarrier.data(), kBarrier.size(), theirs.get()));
  theirs.reset();
  TRY(wait_readable(ours.get(), {.signals = signals, .milliseconds = kBarrierPatience}));
  return {};
}

}  // namespace onggi
