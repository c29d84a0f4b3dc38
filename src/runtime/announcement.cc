// SPDX-License-Identifier: Apache-2.0
#include "runtime/announcement.h"

#include "base/caller_path.h"
#include "base/file.h"
#include "linux/socket_message.h"
#include "linux/unix_socket.h"

namespace onggi {

Result<> write_pid_file(const std::string& path, int pid) {
  if (path.empty()) return {};
  const CallersFile file = TRY(open_callers_directory(path));
  TRY(check_replaceable(file, path));
  // conmon reads it as soon as we have ended.
  return replace_atomically(file.directory.get(), file.name, std::to_string(pid), 0644);
}

Result<UniqueFd> connect_receiver(const std::string& path, int signals) {
  if (path.empty()) return UniqueFd();
  return connect_to_socket(path, signals);
}

Result<> send_pidfd(int receiver, int pidfd) {
  if (receiver < 0) return {};
  constexpr std::string_view kPayload = "pidfd";  // receivers look at the descriptor alone
  TRY(send_with_fd(receiver, kPayload.data(), kPayload.size(), pidfd));
  return {};
}

}  // namespace onggi
