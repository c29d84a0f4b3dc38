// SPDX-License-Identifier: Apache-2.0
#include "runtime/announcement.h"

#include "base/caller_path.h"
#include "base/file.h"
#include "linux/socket_message.h"
#include "linux/unix_socket.h"

namespace onggi {

// The directory is the caller's: another file of his must not be in the way of ours, nor go.
Result<PidFile> PidFile::write(const std::string& path, int pid) {
  PidFile written;
  if (path.empty()) return written;
  CallersFile file = TRY(open_callers_directory(path));
  TRY(check_replaceable(file, path));
  written.text_ = std::to_string(pid);
  // conmon reads it as soon as we have ended.
  TRY(replace_by(file.directory.get(), ".onggi-" + written.text_ + ".tmp", file.name, written.text_,
                 0644));
  written.file_ = std::move(file);
  return written;
}

void PidFile::remove() const {
  if (!file_.directory) return;
  const long opened =
      sys::openat(file_.directory.get(), file_.name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (opened < 0) return;
  const UniqueFd file(opened);
  char bytes[16];
  const long size = sys::read(file.get(), bytes, sizeof bytes);
  if (size < 0 || std::string_view(bytes, static_cast<size_t>(size)) != text_) return;
  (void)sys::unlinkat(file_.directory.get(), file_.name.c_str(), 0);
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
