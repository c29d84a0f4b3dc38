// SPDX-License-Identifier: Apache-2.0
// One writer for both readers, so that hooks and engines see the same.
#include "runtime/state_document.h"

#include "spec/version.h"

#include <pwd.h>

#include <cstdio>

namespace onggi {

// From /etc/passwd alone: getpwuid(3) would load the name services of the host into a program that
// is linked statically.
std::string owner_name(const std::string& uid) {
  if (uid == "0") return "root";
  FILE* file = fopen("/etc/passwd", "re");
  if (file == nullptr) return uid;
  std::string name = uid;
  while (const passwd* entry = fgetpwent(file)) {
    if (std::to_string(entry->pw_uid) != uid) continue;
    name = entry->pw_name;
    break;
  }
  (void)fclose(file);
  return name;
}

bool has_process(Status status) {
  return status != Status::stopped;
}

static void write_state(JsonWriter& json, const Record& record, Status status) {
  json.begin_object()
      .field("ociVersion", spec::kVersion)
      .field("id", record.id)
      .field("pid", has_process(status) ? record.pid : 0)
      .field("status", status_name(status))
      .field("bundle", record.bundle)
      .field("rootfs", record.rootfs)
      .field("created", record.created);
  json.key("annotations").begin_object();
  for (const auto& [name, value] : record.annotations) json.field(name, value);
  json.end_object().field("owner", owner_name(record.owner)).end_object();
}

std::string state_document(const Record& record, Status status, JsonWriter::Style style) {
  JsonWriter json(style);
  write_state(json, record, status);
  return std::move(json).take();
}

std::string process_state_document(const Record& record, Status status, std::string_view metadata) {
  JsonWriter json;
  json.begin_object().field("ociVersion", spec::kVersion);
  json.key("fds").begin_array().value("seccompFd").end_array();
  json.field("pid", record.pid);
  if (!metadata.empty()) json.field("metadata", metadata);
  json.key("state");
  write_state(json, record, status);
  json.end_object();
  return std::move(json).take();
}

}  // namespace onggi
