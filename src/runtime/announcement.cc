// SPDX-License-Identifier: Apache-2.0
#include "runtime/announcement.h"

#include "base/file.h"
#include "linux/socket_message.h"
#include "linux/unix_socket.h"

namespace onggi {

Result<> write_pid_file(const std::string& path, int pid) {
  if (path.empty()) return {};
  const size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const UniqueFd directory = TRY(open_directory(AT_FDCWD, parent));
  // conmon reads it as soon as we have ended.
  return replace_atomically(directory.get(), path.substr(slash + 1), std::to_string(pid), 0644);
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
