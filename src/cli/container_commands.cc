// SPDX-License-Identifier: Apache-2.0
// The thin layer between parsed options and src/runtime.
#include "cli/container_commands.h"

#include "base/json_writer.h"
#include "cli/selection.h"
#include "cli/signals.h"
#include "cli/version.h"
#include "spec/version.h"

#include <algorithm>

namespace onggi::cli {
namespace {

// Columns as other runtimes print them: at least 12 wide, 3 blanks between.
using TableRow = std::array<std::string, 6>;

std::string align(std::span<const TableRow> rows) {
  std::array<size_t, 6> widths = {};
  widths.fill(12);
  for (const TableRow& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size() + 3);
  }
  std::string text;
  for (const TableRow& row : rows) {
    for (size_t i = 0; i + 1 < row.size(); ++i)
      text.append(row[i]).append(widths[i] - row[i].size(), ' ');
    text.append(row.back()).append("\n");
  }
  return text;
}

std::string_view status_of(const ContainerSummary& container) {
  return container.damaged ? "damaged" : status_name(container.status);
}

std::string ids(std::span<const ContainerSummary> containers) {
  std::string text;
  for (const ContainerSummary& container : containers) text.append(container.id).append("\n");
  return text;
}

}  // namespace

Result<int> create(const Context& context, CreateOptions& options) {
  const RuntimeOptions runtime = TRY(runtime_options(context.global));
  options.id = context.operands[0];
  TRY(create_container(runtime, options));
  return 0;
}

Result<int> run_command(const Context& context, CreateOptions& options) {
  const RuntimeOptions runtime = TRY(runtime_options(context.global));
  options.id = context.operands[0];
  return run_container(runtime, options);
}

Result<int> start(const Context& context, const NoOptions&) {
  const RuntimeOptions runtime = TRY(runtime_options(context.global));
  TRY(start_container(runtime, context.operands[0]));
  return 0;
}

Result<int> state(const Context& context, const NoOptions&) {
  const RuntimeOptions runtime = TRY(runtime_options(context.global));
  const std::string document = TRY(container_state(runtime, context.operands[0]));
  return print(document);
}

Result<int> kill_command(const Context& context, const KillOptions& options) {
  const int signal = TRY(parse_signal(context.operands.size() > 1 ? context.operands[1] : "TERM"));
  const RuntimeOptions runtime = TRY(runtime_options(context.global));
  return on_selected(runtime, context.operands[0], options.regex, [&](std::string_view id) {
    return kill_container(runtime, id, signal, options.all);
  });
}

Result<int> delete_command(const Context& context, const DeleteOptions& options) {
  const RuntimeOptions runtime = TRY(runtime_options(context.global));
  return on_selected(runtime, context.operands[0], options.regex, [&](std::string_view id) {
    return delete_container(runtime, id, options.force);
  });
}

Result<int> pause(const Context& context, const NoOptions&) {
  const RuntimeOptions runtime = TRY(runtime_options(context.global));
  TRY(pause_container(runtime, context.operands[0]));
  return 0;
}

Result<int> resume(const Context& context, const NoOptions&) {
  const RuntimeOptions runtime = TRY(runtime_options(context.global));
  TRY(resume_container(runtime, context.operands[0]));
  return 0;
}

Result<int> list(const Context& context, const ListOptions& options) {
  const RuntimeOptions runtime = TRY(runtime_options(context.global));
  const std::vector<ContainerSummary> containers = TRY(list_containers(runtime));
  if (options.quiet) return print(ids(containers));
  return print(options.format == ListFormat::json ? list_as_json(containers)
                                                  : list_as_table(containers));
}

Result<int> plan_command(const Context& context, CreateOptions& options) {
  const RuntimeOptions runtime = TRY(runtime_options(context.global));
  options.id = context.operands.empty() ? "container" : context.operands[0];
  const std::string description = TRY(describe_plan(runtime, options));
  return print(description);
}

std::string list_as_table(std::span<const ContainerSummary> containers) {
  std::vector<TableRow> rows = {{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
  for (const ContainerSummary& each : containers) {
    rows.push_back({each.id, std::to_string(each.pid), std::string(status_of(each)), each.bundle,
                    each.created, each.owner});
  }
  return align(rows);
}

std::string list_as_json(std::span<const ContainerSummary> containers) {
  JsonWriter json;
  json.begin_array();
  for (const ContainerSummary& each : containers) {
    json.begin_object()
        .field("ociVersion", spec::kVersion)
        .field("id", each.id)
        .field("pid", each.pid)
        .field("status", status_of(each))
        .field("bundle", each.bundle)
        .field("rootfs", each.rootfs)
        .field("created", each.created);
    if (!each.annotations.empty()) {
      json.key("annotations").begin_object();
      for (const auto& [name, value] : each.annotations) json.field(name, value);
      json.end_object();
    }
    json.field("owner", each.owner).end_object();
  }
  json.end_array();
  return std::move(json).take() + "\n";
}

}  // namespace onggi::cli
