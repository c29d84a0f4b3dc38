// SPDX-License-Identifier: Apache-2.0
// Reading: no lock, so that neither a hook nor an engine waits for a command that is at work.
#include "base/ascii.h"
#include "base/log.h"
#include "linux/login_name.h"
#include "linux/probe.h"
#include "runtime/state_document.h"

#include <cstdlib>

namespace onggi {

std::string_view status_name(Status status) {
  constexpr std::string_view kNames[] = {"creating", "created", "running", "paused", "stopped"};
  return kNames[static_cast<size_t>(status)];
}

Result<std::string> default_root() {
  const bool is_root = sys::call(SYS_geteuid) == 0;
  if (is_root && !TRY(in_user_namespace())) return std::string("/run/onggi");
  const char* directory = getenv("XDG_RUNTIME_DIR");
  if (directory != nullptr && directory[0] == '/') return std::string(directory) + "/onggi";
  if (is_root) return std::string("/run/onggi");  // in a container, whose /run is its own
  return with_hint(
      make_error(ErrorKind::invalid_config, "no directory for the state of containers"),
      "set XDG_RUNTIME_DIR or pass --root");
}

Result<> check_id(std::string_view id) {
  const auto refuse = [id](const char* why) {
    return make_error(ErrorKind::invalid_config, "invalid container id '", id, "': ", why);
  };
  if (id.empty()) return refuse("must not be empty");
  if (id.size() > 255) return refuse("must not be longer than 255 bytes");
  if (id == "." || id == "..") return refuse("must not be a directory name");
  for (char c : id) {
    if (!is_alphanumeric(c) && c != '_' && c != '+' && c != '-' && c != '.')
      return refuse("may contain only letters, digits and _+-.");
  }
  return {};
}

Result<std::string> container_state(const RuntimeOptions& runtime, std::string_view id) {
  TRY(check_id(id));
  StateDir directory = TRY(StateDir::open(runtime.root, id));
  const Record record = TRY(directory.load());
  const Status status = TRY(status_of(directory, record));
  return state_document(record, status, JsonWriter::Style::two_spaces) + "\n";
}

namespace {

// Nothing: there is no such container.
Result<std::optional<ContainerSummary>> summary_of(const RuntimeOptions& runtime,
                                                   const std::string& id) {
  const std::optional<ContainerSummary> none;
  Result<StateDir> opened = StateDir::open(runtime.root, id);
  if (!opened) {
    const Error& error = opened.error();
    // Deleted while we read, or a file in the root.
    if (error.kind == ErrorKind::state || error.errnum == ENOTDIR) return none;
    return error;
  }
  Result<Record> loaded = opened->load();
  if (!loaded && TRY(opened->is_empty())) return none;
  if (!loaded) return loaded.error();
  Record& record = loaded.value();
  const Status status = TRY(status_of(*opened, record));
  return std::optional(ContainerSummary{.id = id,
                                        .bundle = std::move(record.bundle),
                                        .rootfs = std::move(record.rootfs),
                                        .created = std::move(record.created),
                                        .owner = login_name(record.owner),
                                        .annotations = std::move(record.annotations),
                                        .status = status,
                                        .pid = has_process(status) ? record.pid : 0});
}

}  // namespace

Result<std::vector<ContainerSummary>> list_containers(const RuntimeOptions& runtime) {
  std::vector<ContainerSummary> containers;
  for (const std::string& id : TRY(StateDir::list(runtime.root))) {
    Result<std::optional<ContainerSummary>> summary = summary_of(runtime, id);
    if (!summary) {
      log::warn(id, summary.error());
      ContainerSummary& damaged = containers.emplace_back();
      damaged.id = id;
      damaged.damaged = true;
    } else if (summary.value()) {
      containers.push_back(std::move(*summary.value()));
    }
  }
  return containers;
}

}  // namespace onggi
