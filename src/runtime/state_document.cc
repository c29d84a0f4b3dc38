// SPDX-License-Identifier: Apache-2.0
// One writer for both readers, so that hooks and engines see the same.
#include "runtime/state_document.h"

#include "linux/login_name.h"
#include "spec/version.h"

namespace onggi {

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
  json.end_object().field("owner", login_name(record.owner));
  if (record.unit) json.field("systemd-scope", record.unit->name);  // crun's key
  json.end_object();
}

std::string state_document(const Record& record, Status status, JsonWriter::Style style) {
  JsonWriter json(style);
  write_state(json, record, status);
  return std::move(json).take();
}

std::string process_state_document(const Record& record, Status status, int pid,
                                   std::string_view metadata) {
  JsonWriter json;
  json.begin_object().field("ociVersion", spec::kVersion);
  json.key("fds").begin_array().value("seccompFd").end_array();
  json.field("pid", pid);
  if (!metadata.empty()) json.field("metadata", metadata);
  json.key("state");
  write_state(json, record, status);
  json.end_object();
  return std::move(json).take();
}

}  // namespace onggi
